// Package browsertest drives pages in a headless Chromium, for tests of what people
// see: it finds the browser, or installs it as root on Debian, opens pages, and
// checks them with axe-core, which npm fetches into the user's cache.
//
// Where there is no browser, or no axe-core, a test that asks for it skips with a
// line that says what is missing; with WINDLASS_BROWSER_REQUIRED=1, as in
// continuous integration, it fails instead.
package browsertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axeVersion is the version of axe-core that pages are checked with.
const axeVersion = "4.14.1"

// missing ends a test that lacks something.
func missing(tb testing.TB, what string, err error) {
	tb.Helper()
	if os.Getenv("WINDLASS_BROWSER_REQUIRED") != "" {
		tb.Fatalf("%s: %v", what, err)
	}
	tb.Skipf("%s: %v", what, err)
}

// find returns the path of a browser.
var find = sync.OnceValues(func() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	look := func() string {
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				return path
			}
		}
		return ""
	}
	if path := look(); path != "" {
		return path, nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return "", fmt.Errorf("there is no Chromium: install one of %s", strings.Join(names, ", "))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "chromium"}} {
		command := exec.CommandContext(ctx, "apt-get", args...) //nolint:gosec // the arguments are those above
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := command.CombinedOutput(); err != nil {
			return "", fmt.Errorf("install Chromium: %w: %s", err, bytes.TrimSpace(out))
		}
	}
	if path := look(); path != "" {
		return path, nil
	}
	return "", errors.New("the package chromium has no program of the name")
})

// axe returns the source of axe-core.
var axe = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	folder := filepath.Join(cache, "windlass-tests", "axe-core-"+axeVersion)
	file := filepath.Join(folder, "package", "axe.min.js")
	if source, err := os.ReadFile(file); err == nil {
		return string(source), nil
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	fetch := exec.CommandContext(ctx, "npm", "pack", "--silent", "axe-core@"+axeVersion)
	fetch.Dir = folder
	if out, err := fetch.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack axe-core: %w: %s", err, bytes.TrimSpace(out))
	}
	unpack := exec.CommandContext(ctx, "tar", "xzf", "axe-core-"+axeVersion+".tgz", "package/axe.min.js")
	unpack.Dir = folder
	if out, err := unpack.CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpack axe-core: %w: %s", err, bytes.TrimSpace(out))
	}
	source, err := os.ReadFile(file)
	return string(source), err
})

// A Browser is a headless Chromium of one test.
type Browser struct {
	tb  testing.TB
	ctx context.Context //nolint:containedctx // it is how chromedp names a browser
}

// Open starts a browser that ends with the test.
func Open(tb testing.TB) *Browser {
	tb.Helper()
	path, err := find()
	if err != nil {
		missing(tb, "the pages are not driven in a browser", err)
	}
	options := append(slices.Clip(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.UserDataDir(tb.TempDir()),
		chromedp.Flag("force-prefers-reduced-motion", true)) // a page that scrolls smoothly is not yet where a click goes
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, endAllocator := chromedp.NewExecAllocator(tb.Context(), options...)
	tb.Cleanup(endAllocator)
	ctx, end := chromedp.NewContext(ctx)
	tb.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		tb.Fatalf("start the browser: %v", err)
	}
	// A person who is asked whether they are sure says yes.
	err = chromedp.Listen(ctx, func(event any) {
		if _, asked := event.(*page.EventJavascriptDialogOpening); asked {
			go func() {
				_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}) // the test would time out
			}()
		}
	})
	if err != nil {
		tb.Fatalf("listen to the browser: %v", err)
	}
	return &Browser{tb: tb, ctx: ctx}
}

// limit bounds what a browser is asked to do.
const limit = time.Minute

// Do runs actions in the browser, within a minute.
func (b *Browser) Do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.fail(what, err)
	}
}

// get runs an action that returns something.
func get[T any](b *Browser, what string, action chromedp.Action[T]) T {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		b.fail(what, err)
	}
	return result
}

// fail ends the test with what the page said then.
func (b *Browser) fail(what string, err error) {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	at, _ := chromedp.Run(ctx, chromedp.Location())                   // for the message only
	text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body"))) // likewise
	b.tb.Fatalf("%s: %v\nat %s:\n%s", what, err, at, text)
}

// Visit opens an address and waits for the page.
func (b *Browser) Visit(address string) {
	b.tb.Helper()
	b.Do("open "+address, chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("main")))
}

// Submit clicks what a selector finds, a button or a link, and waits for the next
// page.
func (b *Browser) Submit(selector string) {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)); err != nil {
		b.fail("click "+selector, err)
	}
}

// Fill types into a field, in place of what is there.
func (b *Browser) Fill(selector, value string) {
	b.tb.Helper()
	b.Do("find "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
	Evaluate[string](b, fmt.Sprintf(`document.querySelector(%q).value = ""`, selector))
	b.Do("fill "+selector, chromedp.SendKeys(chromedp.CSS(selector), value))
}

// Tick clicks a box.
func (b *Browser) Tick(selector string) {
	b.tb.Helper()
	b.Do("tick "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Choose takes an entry of a list by its value.
func (b *Browser) Choose(selector, value string) {
	b.tb.Helper()
	b.Do("choose "+value, chromedp.SetValue(chromedp.CSS(selector), value))
}

// Text is what a part of the page says.
func (b *Browser) Text(selector string) string {
	b.tb.Helper()
	return get(b, "read "+selector, chromedp.Text(chromedp.CSS(selector)))
}

// At is the address of the page.
func (b *Browser) At() string {
	b.tb.Helper()
	return get(b, "read the address", chromedp.Location())
}

// Evaluate runs a script in a browser's page and returns its result.
func Evaluate[T any](b *Browser, script string) T {
	b.tb.Helper()
	return get(b, "run a script", chromedp.Evaluate[T](script))
}

// call sends a command of the DevTools protocol.
func call[P, R any](b *Browser, what string, command cdp.Command[P, R], params P) R {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.fail(what, err)
	}
	return result
}

// Size makes the window that large, in CSS pixels.
func (b *Browser) Size(width, height int64) {
	b.tb.Helper()
	call(b, "set the size", emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// Scheme is how a person likes pages: "light" or "dark".
func (b *Browser) Scheme(scheme string) {
	b.tb.Helper()
	call(b, "set the scheme", emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// Scripts switches the page's own scripts on or off, for the pages to come.
func (b *Browser) Scripts(on bool) {
	b.tb.Helper()
	call(b, "switch scripts", emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// Screenshot returns the whole page as a PNG.
func (b *Browser) Screenshot() []byte {
	b.tb.Helper()
	return get(b, "take a picture", chromedp.FullScreenshot(100))
}

// CheckAccessible fails the test with what axe-core finds against WCAG 2.2 AA.
func (b *Browser) CheckAccessible(name string) {
	b.tb.Helper()
	source, err := axe()
	if err != nil {
		missing(b.tb, "the pages are not checked with axe-core", err)
	}
	// In an isolated world, to which the page's policy does not apply.
	frames := call(b, "find the page", page.GetFrameTree, cdp.Empty{})
	world := call(b, "make a world", page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: frames.FrameTree.Frame.ID, WorldName: "axe"})
	result := call(b, "run axe-core", runtime.Evaluate, runtime.EvaluateParams{
		Expression: source + `;
			axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => JSON.stringify(
				r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html + " — " + n.failureSummary)}))))`,
		ContextID: world.ExecutionContextID, AwaitPromise: new(true), ReturnByValue: new(true),
	})
	if result.ExceptionDetails != nil {
		b.tb.Fatalf("axe-core failed on %s: %v", name, result.ExceptionDetails)
	}
	var text string
	var violations []struct {
		ID    string   `json:"id"`
		Help  string   `json:"help"`
		Nodes []string `json:"nodes"`
	}
	err = json.Unmarshal(result.Result.Value, &text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &violations)
	}
	if err != nil {
		b.tb.Fatalf("read what axe-core says of %s: %v", name, err)
	}
	for _, v := range violations {
		b.tb.Errorf("%s: %s: %s\n  %s", name, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
	}
}

// CheckNoSidewaysScrolling fails the test when the page is wider than the window.
func (b *Browser) CheckNoSidewaysScrolling(name string) {
	b.tb.Helper()
	wide := Evaluate[[]string](b, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, pre, .skip"))
		.map(e => e.outerHTML.slice(0, 120)).concat(document.documentElement.scrollWidth > innerWidth ? ["the page"] : [])`)
	if len(wide) > 0 {
		b.tb.Errorf("%s is wider than the window: %s", name, strings.Join(wide, "\n  "))
	}
}
