package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible returns a context that ends with the first signal to stop, and a
// process that ends at once with the second. A closed pipe is no signal but an
// error of the write.
func Interruptible() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // before anything shows that it stops, so that the second signal counts
		cancel()
	}()
	signal.Ignore(syscall.SIGPIPE)
	return ctx
}
