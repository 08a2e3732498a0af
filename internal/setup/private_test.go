package setup_test

import (
	"testing"

	"windlass"
	"windlass/internal/flowtest"
	"windlass/internal/guard"
	"windlass/internal/setup"
)

func TestDestinationsAtPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	allowed, err := guard.ParseAllowed([]string{"10.1.0.0/16"})
	w.OK(err)
	w.Hooks.CheckAddress = guard.New(allowed...).Check
	w.Restart()
	create := func(host string) error {
		_, err := w.Setup.CreateDestination(w.Context(), w.Project.ID, setup.CreateDestinationRequest{
			Name: "d", Type: "webhook", Metadata: flowtest.At("https://" + host + "/hooks"),
		})
		return err
	}
	for _, host := range []string{
		"127.0.0.1", "127.0.0.1:8443", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fd00::1]", "[fe80::1%25eth0]",
		"[::ffff:127.0.0.1]", "localhost", "LOCALHOST", "localhost.", "a.localhost",
	} {
		w.Refused(create(host), windlass.Invalid, "leads to an address that is not public", "--allow-private-destinations")
	}
	for _, host := range []string{"2130706433", "0x7f000001", "127.1", "0177.0.0.01", "127.0.0.0x1"} {
		w.Refused(create(host), windlass.Invalid, "has a number for a host")
	}
	w.OK(create("10.1.2.3"))
	_, err = w.Setup.UpdateDestination(w.Context(), w.Project.ID, "d", setup.UpdateDestinationRequest{UpdateMask: []string{"metadata.url"}, Destination: struct {
		Name     string                    `json:"name,omitempty"`
		Metadata setup.DestinationMetadata `json:"metadata,omitzero"`
	}{Metadata: flowtest.At("https://127.0.0.1/")}})
	w.Refused(err, windlass.Invalid, "not public")
}
