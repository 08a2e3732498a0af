package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"windlass/internal/cli/command"
	"windlass/internal/cli/serve"
	"windlass/webhook"
)

// serving is a windlass serve that runs in the background of the demo.
type serving struct {
	cancel context.CancelFunc
	code   chan int
	stderr *memo
}

// memo is a buffer that one goroutine writes and another looks into.
type memo struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (m *memo) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(p)
}

func (m *memo) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

// kill ends a server that the story did not end.
func (s *serving) kill() {
	if s != nil {
		s.cancel()
		<-s.code
	}
}

// end interrupts the server and returns its exit code.
func (s *serving) end() int {
	s.cancel()
	code := <-s.code
	s.code <- code // for kill
	return code
}

const (
	manifestFile = "amp.yaml"
	theWebhook   = "bitbucketWebhook"
)

// theManifest asks for the objects of the contract's sample and of the guide. What
// cannot be read incrementally is read once a day.
var theManifest = `specVersion: 1.0.0
integrations:
  - name: bitbucket
    provider: bitbucket
    read:
      objects:
        - objectName: repositories
          destination: bitbucketWebhook
          schedule: "*/10 * * * *"
          requiredFields:
            - fieldName: full_name
            - fieldName: description
          optionalFieldsAuto: all
          backfill: {defaultPeriod: {fullHistory: true}}
` + onceADay(demoObjects[1:]...) + `    write:
      objects:
        - objectName: projects
        - objectName: snippets
        - objectName: hooks
  - name: linkers
    provider: bitbucket
    read:
      objects:
` + onceADay(connectObject)

func onceADay(objects ...string) string {
	var text strings.Builder
	for _, object := range objects {
		text.WriteString(`        - objectName: ` + object + `
          destination: bitbucketWebhook
          schedule: "0 0 * * *"
          optionalFieldsAuto: all
          backfill: {defaultPeriod: {fullHistory: true}}
`)
	}
	return text.String()
}

var aKey = regexp.MustCompile(command.EnvKey + `=(\S+)`)

func playServe(ctx context.Context, d *show) error {
	d.mask(d.site.URL, "http://127.0.0.1:7990")
	d.vars[serve.Variable("addr")] = "127.0.0.1:0"
	d.vars[serve.Variable("data-dir")] = filepath.Join(d.dir, "data")
	d.vars[serve.Variable("bitbucket-api-url")] = d.site.APIURL()
	d.vars[serve.Variable("bitbucket-site-url")] = d.site.URL
	d.vars[serve.Variable("allow-http-destinations")] = "true"
	d.vars[serve.Variable("allow-private-destinations")] = "127.0.0.1"
	if err := d.openInbox(ctx); err != nil {
		return err
	}
	d.print(fmt.Sprintf("export %s=%s\nexport %s=%s", serve.Variable("bitbucket-api-url"), d.site.APIURL(), serve.Variable("bitbucket-site-url"), d.site.URL), 0)
	stdout, err := d.serve(ctx)
	if err != nil {
		return err
	}
	key := aKey.FindStringSubmatch(stdout)
	if key == nil {
		return errors.New("the first start printed no key")
	}
	d.vars[command.EnvKey] = key[1]
	d.mask(key[1], "wlk_…")
	if link := regexp.MustCompile(`sign-in/(\w+)`).FindStringSubmatch(stdout); link != nil {
		d.mask(link[1], "BXCQ4…")
	}
	d.print(stdout, 15)
	d.sayf("One process, an SQLite file, and a keyset that seals what is secret in it. It may send to this machine.")
	ready := d.status(ctx, "/readyz")
	d.checkf("the server is ready", ready == http.StatusOK, "status %d", ready)
	return nil
}

// serve starts windlass serve, and returns what it has said once it serves.
func (d *show) serve(ctx context.Context) (string, error) {
	command.Tellf(d.out, "\n%s\n", d.loud("$ windlass serve &"))
	running, cancel := context.WithCancel(ctx)
	stdout := &memo{}
	d.serving = &serving{cancel, make(chan int, 1), &memo{}}
	vars := maps.Clone(d.vars)
	go func() {
		d.serving.code <- d.program(running, command.Env{
			Args: []string{"serve", "--log-level", "debug"}, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: d.serving.stderr,
			Getenv: func(name string) string { return vars[name] }, Now: d.now,
		})
	}()
	const patience = 20 * time.Second
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(5 * time.Millisecond) {
		if said := stdout.String(); strings.Contains(said, "callback URL") {
			address, _, _ := strings.Cut(strings.TrimPrefix(said, "windlass: serving at "), "\n")
			d.vars[command.EnvServer] = address
			d.mask(address, command.DefaultServer)
			return said, nil
		}
		select {
		case code := <-d.serving.code:
			d.serving.code <- code
			return "", errors.New("the server ended: " + d.serving.stderr.String())
		default:
		}
	}
	return "", errors.New("the server did not start: " + d.serving.stderr.String())
}

// status asks the server for something and returns how it answered.
func (d *show) status(ctx context.Context, path string) int {
	p, err := newPerson()
	if err == nil {
		err = p.open(ctx, d.vars[command.EnvServer]+path)
	}
	if err != nil {
		return 0
	}
	return p.status
}

func playDeploy(ctx context.Context, d *show) error {
	key, secret := d.server.NewConsumer(d.vars[command.EnvServer]+"/callbacks/v1/oauth", "account", "email", "repository", "project", "project:admin", "snippet:write", "webhook", "pipeline:variable")
	d.vars[command.EnvClientSecret] = secret
	d.vars["CONSUMER"], d.vars["CONSUMER_SECRET"] = key, secret
	d.mask(key, "8kXv2…")
	d.print("export "+command.EnvClientSecret+"=…", 0)
	app := d.run(ctx, typed{args: []string{"provider-apps", "create", "--client-id", key}})
	delete(d.vars, command.EnvClientSecret)
	d.sayf("The product's OAuth consumer. Its secret went in and never comes out.")
	d.checkf("a provider app shows no secret", app.code == 0 && !strings.Contains(app.stdout, secret), "exit code %d, %s", app.code, app.stderr)

	d.run(ctx, typed{args: []string{"destinations", "create", theWebhook, "--url", d.inbox.site.URL}})
	secret = command.Cell(json.RawMessage(d.quiet(ctx, "destinations", "get", theWebhook, "--secrets", "--json").stdout), "secrets.webhookSigningKey")
	signing, err := webhook.ParseKey(secret)
	if err != nil {
		return err
	}
	d.inbox.VerifyWith(signing)
	if err := os.WriteFile(filepath.Join(d.dir, manifestFile), []byte(theManifest), 0o600); err != nil {
		return err
	}
	first := d.run(ctx, typed{args: []string{"deploy", manifestFile}})
	again := d.run(ctx, typed{args: []string{"deploy", manifestFile}})
	d.sayf("What says the same keeps its revision, so a deploy can be part of every release.")
	d.checkf("a manifest deploys, and deploying it again changes nothing",
		first.code == 0 && strings.Contains(first.stdout, "created") && again.code == 0 && strings.Contains(again.stdout, "unchanged"),
		"exit codes %d and %d, %s", first.code, again.code, first.stderr)
	return nil
}

var toConnect = []string{"connections", "url", "--group", "customer-1", "--consumer", "ann", "--workspace", "acme"}

func playConsent(ctx context.Context, d *show) error {
	ann, err := d.consent(ctx)
	if err != nil {
		return err
	}
	d.sayf("Ann opens it, logs in at Bitbucket, and grants access: %s. The page that she ends on says %q.", command.Counted(ann.forms, "form"), ann.title())
	listed := d.run(ctx, typed{args: []string{"connections", "list", "--json"}, maxLines: 1})
	var all []struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	if err := json.Unmarshal([]byte(listed.stdout), &all); err != nil || len(all) != 1 {
		d.checkf("a consent becomes a connection that works", false, "%s%s", listed.stdout, ann.page)
		return errors.New("there is no connection")
	}
	d.vars["CONNECTION"] = all[0].ID
	d.checkf("a consent becomes a connection that works", all[0].Status == "working" && ann.status == http.StatusOK, "status %s", all[0].Status)
	used := d.person(ctx, ann.at.String())
	d.checkf("the consent's address is good for one use", used == http.StatusNotFound, "status %d", used)
	return nil
}

// consent begins one and plays the customer's part.
func (d *show) consent(ctx context.Context) (*person, error) {
	began := d.run(ctx, typed{args: toConnect})
	if began.code != 0 {
		return nil, errors.New(began.stderr)
	}
	ann, err := newPerson()
	if err != nil {
		return nil, err
	}
	known := d.server.Credentials()
	if err := ann.open(ctx, strings.TrimSpace(began.stdout)); err != nil {
		return nil, err
	}
	if err := ann.follow(ctx, "continue"); err != nil { // the page that names the product and the customer
		return nil, err
	}
	if err := ann.press(ctx, "log in", map[string]string{"email": known.Email, "password": known.Password}); err != nil {
		return nil, err
	}
	return ann, ann.press(ctx, "grant", nil)
}

// person opens an address in another person's browser.
func (d *show) person(ctx context.Context, address string) int {
	bob, err := newPerson()
	if err == nil {
		err = bob.open(ctx, address)
	}
	if err != nil {
		return 0
	}
	return bob.status
}

func playRefresh(ctx context.Context, d *show) error {
	before := d.server.TokenRequests()
	d.pass(3 * time.Hour)
	d.sayf("Three hours go by; the access token lived for two.")
	refreshed := d.run(ctx, typed{args: []string{"connections", "refresh", d.vars["CONNECTION"]}, maxLines: 5})
	again := d.run(ctx, typed{args: []string{"connections", "refresh", d.vars["CONNECTION"]}, maxLines: 5})
	asked := d.server.TokenRequests() - before
	d.sayf("The first brought a new token; the second found it good. Whatever uses a connection does the same by itself.")
	d.checkf("an expired token is refreshed, once", refreshed.code == 0 && again.code == 0 && asked == 1, "exit codes %d and %d, %d requests, %s", refreshed.code, again.code, asked, refreshed.stderr)
	return nil
}

func playRevoked(ctx context.Context, d *show) error {
	d.server.RevokeConsent(d.vars["CONSUMER"])
	d.sayf("In Bitbucket's settings, Ann takes back what she has granted.")
	d.pass(3 * time.Hour)
	refused := d.run(ctx, typed{args: []string{"connections", "refresh", d.vars["CONNECTION"]}, maxLines: 5})
	listed := d.run(ctx, typed{args: []string{"connections", "list"}})
	d.checkf("a consent that was taken back is said plainly", refused.code == 3 && strings.Contains(listed.stdout, "bad_credentials"), "exit code %d, %s", refused.code, refused.stderr)

	ann, err := d.consent(ctx)
	if err != nil {
		return err
	}
	mended := d.run(ctx, typed{args: []string{"connections", "list"}})
	made := d.madeUp(ctx)
	d.sayf("She consents again, and it is the same connection: the installation goes on with it.")
	d.sayf("What may have been missed meanwhile is read at once, and not at the next time of its schedule.")
	d.checkf("reads make up for the time without a consent", made, "they have not ended")
	d.checkf("consenting again mends the same connection", ann.status == http.StatusOK && strings.Contains(mended.stdout, d.vars["CONNECTION"]) &&
		strings.Contains(mended.stdout, "working") && strings.Count(mended.stdout, "\n") == 3, "%s", mended.stdout)
	return nil
}

func playStop(ctx context.Context, d *show) error {
	ready := d.status(ctx, "/readyz")
	code := d.serving.end()
	command.Tellf(d.out, "%s\n", d.loud("$ kill %1"))
	d.sayf("It took no new requests, let what was under way end, and closed its database: exit code %d.", code)
	d.checkf("the server shuts down gracefully", code == 0 && ready == http.StatusOK, "exit code %d, ready %d: %s", code, ready, d.serving.stderr.String())
	log := d.serving.stderr.String()
	leaked := slices.ContainsFunc([]string{d.vars[command.EnvKey], d.vars["CONSUMER_SECRET"], d.server.Credentials().Password}, func(secret string) bool {
		return strings.Contains(log, secret)
	})
	d.checkf("its log shows no secret", !leaked && strings.Contains(log, "serving"), "it does")
	return nil
}
