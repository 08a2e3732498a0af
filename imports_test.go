package windlass_test

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// A rule is one row of the table of imports: what the Go files of one folder
// may import besides the standard library.
type rule struct {
	// dir is a folder relative to the module's root, "." for the root itself.
	// A name that ends in "/..." stands for every folder below it.
	dir string
	// code is for files that are compiled into the product, tests for what
	// _test.go files may import on top of that. An entry is a folder of this
	// module (as in dir) or the path of a foreign module, which covers its
	// packages. A test may always import the package that it tests.
	code, tests []string
}

// imports is the direction of the whole product:
//
//	cmd → internal/cli → internal/server → everything
//	api, ui, store, jobs → flows → internal/operation, config, mapping → connector → the root
//
// A flow is what a user does: setup, deploy, install, connect, read, deliver, write,
// proxy, notify. Flows never import each other, the store, the jobs engine or the
// pages: each declares the small interface that it needs. Those that take more than
// one step are kinds of work of one engine, internal/operation. The rows of packages
// that are still to come stand here already, so that they are born with limits.
//
// Changing a row is a decision about the design: say why in the commit, and
// write an ADR when the direction itself changes.
var imports = []rule{
	// Public packages. What a program that imports us is made to import, too,
	// is decided here.
	{dir: "."},
	{dir: "connector", code: []string{"."}, tests: []string{"connector/connectortest"}},
	{dir: "connector/connectortest", code: []string{".", "connector"}},
	{
		dir: "bitbucket", code: []string{".", "connector", "internal/jsonscan", "internal/nearest", "github.com/golang-jwt/jwt/v5", "golang.org/x/oauth2"},
		tests: []string{"bitbucket/sandbox", "connector/connectortest", "github.com/ktrysmt/go-bitbucket"},
	},
	{
		dir: "manifest", code: []string{".", "internal/nearest", "go.yaml.in/yaml/v4"},
		tests: []string{"github.com/adhocore/gronx", "github.com/getkin/kin-openapi"},
	},
	{dir: "webhook", code: []string{"."}, tests: []string{"github.com/standard-webhooks/standard-webhooks/libraries"}},

	// The sandbox and the connector are two readings of the same documents;
	// neither may lean on the other (docs/adr/0004-independent-sandbox.md).
	{
		dir: "bitbucket/sandbox", code: []string{"bitbucket/sandbox/internal/..."},
		tests: []string{"github.com/ktrysmt/go-bitbucket"},
	},
	{dir: "bitbucket/sandbox/internal/...", code: []string{"bitbucket/sandbox/internal/..."}},

	// The flows, and what is pure enough for all to share.
	{dir: "internal/jsonscan"},
	{dir: "internal/logkey"}, // the keys of what is logged, for whatever logs
	{dir: "internal/nearest"},
	{dir: "internal/origin"},
	{dir: "internal/ids", code: []string{"github.com/google/uuid"}},
	{dir: "internal/input", code: []string{".", "internal/nearest", "internal/origin", "github.com/google/uuid"}},
	{dir: "internal/fields", code: []string{"connector", "manifest", "internal/input"}},
	{dir: "internal/config", code: []string{".", "manifest", "internal/mapping"}},
	{dir: "internal/installed", code: []string{".", "manifest", "internal/config", "internal/ids"}},
	{dir: "internal/mapping", code: []string{".", "manifest", "internal/jsonscan"}, tests: []string{"pgregory.net/rapid"}},
	{
		dir: "internal/budget", code: []string{".", "connector"}, // a refusal is an error that transports know
		tests: []string{"internal/budget/budgettest", "pgregory.net/rapid"},
	},
	{
		// The engine of what takes more than one step: flows implement its Work.
		dir: "internal/operation", code: []string{".", "connector", "internal/ids", "internal/logkey"},
		tests: []string{"internal/store", "internal/store/storetest"},
	},
	{dir: "internal/budget/budgettest", code: []string{"internal/budget"}},
	// Types of destinations. Flows know the table of them, and no type: only the
	// server's composition names one. Tests send through the real webhook.
	{dir: "internal/sink", code: []string{".", "internal/ids"}},
	{dir: "internal/sink/sinktest", code: []string{".", "internal/sink", "internal/sink/webhook"}},
	{
		dir: "internal/sink/webhook", code: []string{".", "connector", "webhook", "internal/ids", "internal/sink"},
		tests: []string{"github.com/getkin/kin-openapi"},
	},
	{
		dir: "internal/setup", code: append(flowMay, "internal/ids", "internal/input", "internal/installed"),
		tests: []string{"bitbucket", "webhook", "internal/flowtest", "internal/guard", "internal/install"},
	},
	{
		dir: "internal/deploy", code: append(flowMay, "manifest", "internal/fields", "internal/ids", "internal/input", "internal/installed"),
		tests: []string{"internal/flowtest", "internal/install"},
	},
	{
		dir: "internal/install", code: append(flowMay, "manifest", "internal/fields", "internal/ids", "internal/input", "internal/installed"),
		tests: []string{"bitbucket", "internal/deploy", "internal/flowtest", "internal/setup"},
	},
	{
		dir: "internal/connect", code: append(flowMay, "internal/ids", "internal/origin", "github.com/google/uuid"),
		// The flow through the provider's real pages, and on the real store: what
		// it declares is what they have.
		tests: []string{"bitbucket", "bitbucket/sandbox", "internal/store", "internal/store/storetest"},
	},
	{
		dir: "internal/read", code: append(flowMay, "manifest", "internal/ids", "internal/operation", "github.com/google/uuid"),
		// Transactions are what this flow is about: its tests run on the real store.
		tests: []string{"internal/sink/sinktest", "internal/sink/webhook", "internal/store", "internal/store/storetest", "github.com/getkin/kin-openapi", "pgregory.net/rapid"},
	},
	{
		dir: "internal/deliver", code: flowMay,
		tests: []string{
			"webhook", "internal/guard", "internal/sink/sinktest", "internal/sink/webhook", "internal/store", "internal/store/storetest", "github.com/google/uuid",
			"github.com/standard-webhooks/standard-webhooks/libraries",
		},
	},
	{
		dir: "internal/write", code: append(flowMay, "manifest", "internal/ids", "internal/operation"),
		// Against the provider's mock server, on the real store: what must not happen
		// twice is between the two.
		tests: []string{
			"bitbucket", "bitbucket/sandbox", "internal/install", "internal/notify", "internal/sink/sinktest", "internal/sink/webhook", "internal/store", "internal/store/storetest",
			"github.com/getkin/kin-openapi",
		},
	},
	{
		dir: "internal/proxy", code: flowMay,
		// A credential's real transport, a mock server of the provider, and a client of it.
		tests: []string{"bitbucket", "bitbucket/sandbox", "github.com/ktrysmt/go-bitbucket"},
	},
	{
		dir: "internal/notify", code: append(flowMay, "internal/ids"),
		tests: []string{"internal/sink/sinktest", "internal/sink/webhook", "internal/store", "internal/store/storetest", "github.com/getkin/kin-openapi"},
	},

	// Who may do what: people, their sessions and what they changed, keys and tokens.
	{
		dir: "internal/auth", code: []string{".", "internal/ids", "github.com/golang-jwt/jwt/v5", "golang.org/x/crypto", "golang.org/x/oauth2", "github.com/coreos/go-oidc/v3"},
		tests: []string{"internal/store", "internal/store/storetest"},
	},

	// What keeps requests to addresses of customers' choosing from our own networks.
	{dir: "internal/guard", code: []string{".", "code.dny.dev/ssrf"}},

	// What serves the flows. Only these know a database, River or HTML.
	{dir: "internal/seal", code: []string{".", "github.com/tink-crypto/tink-go/v2"}},
	{
		dir: "internal/store", code: append(flows, ".", "connector", "internal/seal", "modernc.org/sqlite", "github.com/jackc/pgx/v5"),
		tests: []string{"internal/store/storetest", "internal/budget/budgettest", "internal/pgtemp", "github.com/google/uuid"},
	},
	{
		dir: "internal/jobs", code: append(flows, ".", "connector", "internal/ids", "github.com/riverqueue/river", "github.com/jackc/pgx/v5"),
		tests: []string{"internal/store", "internal/store/storetest", "internal/seal"},
	},
	{
		dir: "internal/api", code: append(flows, ".", "connector", "manifest", "internal/auth", "internal/ids", "internal/input", "internal/ui",
			"github.com/danielgtaylor/huma/v2"),
		tests: []string{"github.com/getkin/kin-openapi", "github.com/golang-jwt/jwt/v5", "github.com/google/uuid", "internal/sink/sinktest", "internal/sink/webhook", "internal/store", "internal/store/storetest"},
	},
	{
		dir: "internal/ui", code: append(flows, ".", "connector", "manifest", "internal/auth", "internal/config"),
		tests: []string{
			"bitbucket", "bitbucket/sandbox", "internal/browsertest", "internal/sink/sinktest", "internal/sink/webhook", "internal/store", "internal/store/storetest", "internal/server",
		},
	},

	// What tests of the above stand on: a database for each test, on a server of
	// their own.
	{dir: "internal/pgtemp", code: []string{"github.com/jackc/pgx/v5"}},
	{dir: "internal/browsertest", code: []string{"github.com/chromedp/chromedp", "github.com/chromedp/cdproto"}},
	{dir: "internal/pgtemp/withpostgres", code: []string{"internal/pgtemp"}},
	{
		dir: "internal/flowtest", code: []string{
			".", "bitbucket", "connector", "internal/config", "internal/deploy", "internal/install", "internal/setup",
			"internal/sink/sinktest", "internal/sink/webhook", "internal/store", "internal/store/storetest", "github.com/getkin/kin-openapi",
		},
	},
	{dir: "internal/store/storetest", code: []string{"internal/store", "internal/seal", "internal/pgtemp", "github.com/jackc/pgx/v5"}},

	// What puts the parts together. The server names its provider in one line, see
	// TestOneLineOfTheServerNamesAProvider; all others take connector.Provider.
	{
		dir:   "internal/server",
		code:  []string{".", "connector", "bitbucket", "manifest", "webhook", "internal/...", "github.com/prometheus/client_golang"},
		tests: []string{"bitbucket/sandbox", "github.com/jackc/pgx/v5", "github.com/getkin/kin-openapi", "github.com/google/uuid"},
	},
	// The commands: a package for each group of them, on top of what all of them
	// share. Only demo runs commands of the others, and is given them all.
	{
		dir:  "internal/cli/command",
		code: []string{".", "bitbucket", "internal/nearest", "github.com/spf13/cobra", "github.com/spf13/pflag"},
	},
	{dir: "internal/cli/admin", code: append(commandsMay, "bitbucket", "manifest", "internal/server")}, // the server for how proxy listens
	{dir: "internal/cli/workspace", code: append(commandsMay, "bitbucket", "connector")},
	{
		dir:  "internal/cli/serve",
		code: append(commandsMay, "connector", "internal/nearest", "internal/server", "go.yaml.in/yaml/v4"),
	},
	{dir: "internal/cli/try", code: append(commandsMay, "bitbucket/sandbox", "internal/server", "webhook")},
	{
		dir:  "internal/cli/demo",
		code: append(commandsMay, "bitbucket", "bitbucket/sandbox", "connector", "internal/cli/serve", "internal/cli/try", "webhook"),
	},
	{
		dir: "internal/cli",
		code: append(commandsMay, "internal/cli/admin", "internal/cli/demo", "internal/cli/serve", "internal/cli/try", "internal/cli/workspace",
			"golang.org/x/term"),
		tests: []string{
			"bitbucket", "bitbucket/sandbox", "connector", "internal/server", "internal/store", "internal/store/storetest",
			"github.com/rogpeppe/go-internal",
		},
	},
	{dir: "cmd/windlass", code: []string{"internal/cli"}},
}

var (
	commandsMay = slices.Clip([]string{".", "internal/cli/command", "github.com/spf13/cobra"})
	flowMay     = slices.Clip([]string{".", "connector", "internal/config", "internal/logkey", "internal/mapping", "internal/sink"})
	flows       = slices.Clip([]string{
		"internal/setup", "internal/deploy", "internal/install", "internal/connect", "internal/read", "internal/deliver",
		"internal/write", "internal/proxy", "internal/notify", "internal/config", "internal/logkey", "internal/mapping", "internal/budget",
		"internal/sink",
	})
)

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t) {
		for _, fault := range file.importFaults(imports) {
			t.Error(fault)
		}
	}
}

// Providers are named where the server is put together, in one line and its import.
// Commands for a workspace and the demo, in internal/cli, are Bitbucket's own, and what
// only tests stand on may name what it likes.
func TestOneLineOfTheServerNamesAProvider(t *testing.T) {
	t.Parallel()
	const home = "internal/server/provider.go"
	lines := 0
	for _, name := range treeFiles(t) {
		page := path.Ext(name) == ".html"
		if !strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "internal/cli/") || strings.HasPrefix(name, "internal/flowtest/") ||
			!page && (path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go")) {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			switch {
			case !strings.Contains(strings.ToLower(line), "bitbucket"):
			case name == home && strings.TrimSpace(line) == `"`+module+`/bitbucket"`:
			case name == home:
				lines++
			default:
				t.Errorf("%s names a provider, which is for %s and the provider's own package: %s", name, home, strings.TrimSpace(line))
			}
		}
	}
	if lines != 1 {
		t.Errorf("%s names a provider in %d lines beside the import, want one", home, lines)
	}
}

// A checker that finds nothing must not be one that cannot find anything.
func TestImportCheckerSeesWhatIsForbidden(t *testing.T) {
	t.Parallel()
	table := []rule{
		{dir: "."},
		{dir: "connector", code: []string{"."}, tests: []string{"connector/connectortest", "example.com/probe"}},
		{dir: "bitbucket/sandbox", code: []string{"bitbucket/sandbox/internal/..."}},
		{dir: "bitbucket/sandbox/internal/...", code: []string{"bitbucket/sandbox/internal/..."}},
		{dir: "bitbucket/sandbox/internal/seed"},
	}
	for _, test := range []struct {
		name, file, imports string
		want                string // part of the fault; empty: allowed
	}{
		{"the standard library is free", "windlass.go", "net/http", ""},
		{"C is not the standard library", "windlass.go", "C", "windlass.go imports C"},
		{"the root imports no part", "windlass.go", "windlass/connector", "windlass.go imports windlass/connector"},
		{"a row allows a folder", "connector/read.go", "windlass", ""},
		{"a row allows that folder only", "connector/read.go", "windlass/connector/connectortest", "add it to code"},
		{"a test may more than code", "connector/read_test.go", "windlass/connector/connectortest", ""},
		{"a test may import what it tests", "connector/read_test.go", "windlass/connector", ""},
		{"a test has its limits too", "connector/read_test.go", "windlass/bitbucket", "add it to tests"},
		{"a foreign module needs a row", "connector/read.go", "example.com/probe", "connector/read.go imports example.com/probe"},
		{"a foreign module's packages come with it", "connector/read_test.go", "example.com/probe/deep", ""},
		{"a longer name is another module", "connector/read_test.go", "example.com/probes", "example.com/probes"},
		{"the sandbox never reads the connector", "bitbucket/sandbox/server.go", "windlass/bitbucket", "imports windlass/bitbucket"},
		{"nor do its tests", "bitbucket/sandbox/server_test.go", "windlass/bitbucket", "imports windlass/bitbucket"},
		{"dots cover every folder below", "bitbucket/sandbox/internal/bbql/parse.go", "windlass/bitbucket/sandbox/internal/seed", ""},
		{"the nearest row decides", "bitbucket/sandbox/internal/seed/seed.go", "windlass/bitbucket/sandbox/internal/bbql", "seed.go imports"},
		{"a folder without a row is refused", "internal/stray/stray.go", "fmt", `add {dir: "internal/stray"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := sourceFile{path: test.file, imports: []string{test.imports}}
			got := strings.Join(file.importFaults(table), "\n")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("%s importing %q: got fault %q, want one that says %q", test.file, test.imports, got, test.want)
			}
		})
	}
}

// importFaults checks one file against a table and says, for each import that
// the table does not allow, what it is and where it would be allowed.
func (f sourceFile) importFaults(table []rule) []string {
	row, found := rowFor(table, f.dir())
	if !found {
		return []string{fmt.Sprintf(
			"%s: the folder has no row in the table of imports_test.go: add {dir: %q, code: …} with what it may import", f.path, f.dir())}
	}
	allowed, column := row.code, "code"
	if f.isTest() {
		allowed, column = slices.Concat(row.code, row.tests, []string{f.dir()}), "tests"
	}
	var faults []string
	for _, path := range f.imports {
		if isStandard(path) || slices.ContainsFunc(allowed, func(entry string) bool { return covers(entry, path) }) {
			continue
		}
		faults = append(faults, fmt.Sprintf(
			"%s imports %s, which the row %q of imports_test.go does not allow: turn the dependency round, or add it to %s there and say why",
			f.path, path, row.dir, column))
	}
	return faults
}

// rowFor finds the row of a folder: its own, or else the longest "/..." above it.
func rowFor(table []rule, dir string) (nearest rule, found bool) {
	for _, row := range table {
		if row.dir == dir {
			return row, true
		}
		below, wild := strings.CutSuffix(row.dir, "...")
		if wild && strings.HasPrefix(dir, below) && len(row.dir) > len(nearest.dir) {
			nearest, found = row, true
		}
	}
	return nearest, found
}

// covers reports whether an entry of the table allows an import path: a folder
// of this module by its exact name, a foreign module with all of its packages.
func covers(entry, path string) bool {
	if isForeign(entry) {
		return path == entry || strings.HasPrefix(path, entry+"/")
	}
	if below, wild := strings.CutSuffix(entry, "..."); wild {
		return strings.HasPrefix(path, module+"/"+below)
	}
	if entry == "." {
		return path == module
	}
	return path == module+"/"+entry
}

// isForeign reports whether an import path or an entry belongs to another
// module: those begin with a host name, "example.com/…".
func isForeign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(strings.Trim(first, "."), ".")
}

func isStandard(path string) bool {
	ours := path == module || strings.HasPrefix(path, module+"/")
	return !ours && !isForeign(path) && path != "C"
}
