package install_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"

	"windlass"
	"windlass/internal/guard"
	"windlass/internal/install"
)

func TestDestinationsAtPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	w := once(t)
	allowed, err := guard.ParseAllowed([]string{"10.1.0.0/16"})
	w.ok(err)
	w.hooks.CheckAddress = guard.New(allowed...).Check
	w.restart()
	create := func(host string) error {
		_, err := w.flow.CreateDestination(w.ctx, w.project.ID, install.CreateDestinationRequest{
			Name: "d", Type: "webhook", Metadata: at("https://" + host + "/hooks"),
		})
		return err
	}
	for _, host := range []string{
		"127.0.0.1", "127.0.0.1:8443", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fd00::1]", "[fe80::1%25eth0]",
		"[::ffff:127.0.0.1]", "localhost", "LOCALHOST", "localhost.", "a.localhost",
	} {
		w.refused(create(host), windlass.Invalid, "leads to an address that is not public", "--allow-private-destinations")
	}
	for _, host := range []string{"2130706433", "0x7f000001", "127.1", "0177.0.0.01", "127.0.0.0x1"} {
		w.refused(create(host), windlass.Invalid, "has a number for a host")
	}
	w.ok(create("10.1.2.3"))
	_, err = w.flow.UpdateDestination(w.ctx, w.project.ID, "d", install.UpdateDestinationRequest{UpdateMask: []string{"metadata.url"}, Destination: struct {
		Name     string                      `json:"name,omitempty"`
		Metadata install.DestinationMetadata `json:"metadata,omitzero"`
	}{Metadata: at("https://127.0.0.1/")}})
	w.refused(err, windlass.Invalid, "not public")
}

func TestZipOfManyEntriesIsRefusedUnread(t *testing.T) { //nolint:paralleltest // it counts what is allocated
	w := once(t)
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for i := range 65000 {
		_, err := archive.CreateRaw(&zip.FileHeader{Name: fmt.Sprint(i)})
		w.ok(err)
	}
	w.ok(archive.Close())
	var failure error
	allocated := testing.AllocsPerRun(1, func() {
		_, failure = w.flow.Deploy(w.ctx, w.project.ID, install.Source{Zip: b.Bytes()}, false)
	})
	w.refused(failure, windlass.Invalid, "the zip has 65000 entries")
	if allocated > 5000 {
		t.Errorf("%v allocations: the entries were read", allocated)
	}
}
