package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
	"windlass/internal/server"
)

func newServe(env *command.Env) *cobra.Command {
	g := &given{}
	var printConfig bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server until interrupted: the API, the consent pages, and the jobs. The
first start makes the database, a keyset, a project and an API key, which is
printed once.

Each setting is a flag, a variable of the environment (WINDLASS_ and its name in
capitals, as in WINDLASS_PUBLIC_URL) or a line of --config FILE, in this order of
precedence. Those that are secrets have no flag, because everyone on a machine can see those:
` + Variable("keyset") + `, ` + Variable("operator-key") + ` and ` + Variable("oidc-client-secret") + `.

It shuts down gracefully when it is interrupted or sent SIGTERM, and at once when
that happens again.`,
		Example: `  windlass serve
  windlass serve --config windlass.yaml --print-config
  WINDLASS_DATABASE_URL=postgres://windlass:…@db/windlass windlass serve --addr :8080 --public-url https://windlass.example.com`,
		GroupID: command.GroupServer,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, origins, err := g.read(cmd, env)
			if err != nil {
				return err
			}
			if printConfig {
				return printSettings(env.Stdout, origins)
			}
			return runServe(cmd.Context(), env, config)
		},
	}
	g.bind(cmd)
	cmd.Flags().BoolVar(&printConfig, "print-config", false, "print the settings, each with where it is from, and end")
	completeServe(cmd)
	return cmd
}

// Variable is the variable of the environment for a setting.
func Variable(key string) string { return (&setting{key: key}).env() }

func completeServe(cmd *cobra.Command) {
	for flag, offer := range map[string]cobra.CompletionFunc{
		"roles":      cobra.FixedCompletions([]string{"api,worker", "api", "worker"}, command.NoFiles),
		"log-level":  cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, command.NoFiles),
		"log-format": cobra.FixedCompletions([]string{"auto", "json", "text"}, command.NoFiles),
		"config":     command.CompleteYAML,
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, offer) // fails only for a flag that there is not
	}
}

func runServe(ctx context.Context, env *command.Env, config *serverConfig) error {
	config.Logger, config.Now, config.Base = config.logger(env), env.Now, env.Base
	file, err := openKeyFile(config.firstKeyFile) // before there is a key that could be lost
	if err != nil {
		return err
	}
	s, err := server.New(ctx, config.Config)
	if err != nil {
		return errors.Join(err, file.close())
	}
	said := fmt.Sprintf("windlass: serving at %s\n", s.URL())
	if project, key := s.FirstKey(); !key.IsZero() {
		secrets := fmt.Sprintf("export %s=%s\nexport %s=%s\n\n# The dashboard lets you in, once, at\n# %s\n",
			command.EnvServer, s.URL(), command.EnvKey, key.Reveal(), s.FirstSignIn().Reveal())
		where := "are shown this once:\n\n  " + strings.ReplaceAll(strings.TrimSpace(secrets), "\n", "\n  ")
		if file.File != nil {
			where = "are in " + config.firstKeyFile + "."
			if _, err := io.WriteString(file, secrets); err != nil {
				return errors.Join(command.Internal("--first-key-file", err), s.Close(), file.close())
			}
		}
		said += fmt.Sprintf(`
This is the first start. The project %q was made. An API key to it and a link to
the dashboard %s

The callback URL of the OAuth consumer is %s
`, project.Name, where, s.CallbackURL())
	}
	if err := file.close(); err != nil {
		return errors.Join(err, s.Close())
	}
	if _, err := io.WriteString(env.Stdout, said); err != nil {
		// A key that was never shown is lost: better not to start.
		return errors.Join(command.Internal("standard output", err), s.Close())
	}
	return s.Run(ctx)
}

// keyFile is where the first key goes; without a file it is printed.
type keyFile struct{ *os.File }

// openKeyFile opens a file that only its owner can read. What is in it stays until
// there is a first key.
func openKeyFile(name string) (keyFile, error) {
	if name == "" {
		return keyFile{}, nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, command.PrivateFile)
	if err == nil {
		err = file.Chmod(command.PrivateFile)
	}
	if err != nil {
		return keyFile{}, command.Invalidf("--first-key-file %s: %v", command.Clip(name), command.Reason(err))
	}
	return keyFile{file}, nil
}

// close leaves no empty file behind.
func (f keyFile) close() error {
	if f.File == nil {
		return nil
	}
	info, err := f.Stat()
	if err == nil && info.Size() == 0 {
		err = os.Remove(f.Name())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return command.Internal("--first-key-file", err)
	}
	return nil
}

// logger writes to standard error.
func (c *serverConfig) logger(env *command.Env) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(strings.ToUpper(c.logLevel))) // it was checked
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
		if attr.Value.Kind() == slog.KindDuration { // JSON would have it as nanoseconds
			attr.Value = slog.StringValue(attr.Value.Duration().Round(time.Microsecond).String())
		}
		return attr
	}}
	if c.logFormat == "json" || (c.logFormat == "auto" && !env.StderrTerminal) {
		return slog.New(slog.NewJSONHandler(env.Stderr, opts))
	}
	return slog.New(slog.NewTextHandler(env.Stderr, opts))
}
