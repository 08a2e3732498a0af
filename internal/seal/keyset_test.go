package seal_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"windlass/internal/seal"
)

func TestSealedValuesOpen(t *testing.T) {
	t.Parallel()
	k := must(seal.New())(t)
	plain, about := []byte("hunter2"), []byte("credentials.sealed/1")
	sealed := must(k.Seal(plain, about))(t)
	if again := must(k.Seal(plain, about))(t); bytes.Equal(sealed, again) {
		t.Error("the same value sealed twice shows that it is the same")
	}
	if id, ok := seal.KeyOf(sealed); !ok || id != k.Primary() || !bytes.HasPrefix(sealed, seal.Prefix(id)) {
		t.Errorf("the value names the key %d (%v), want %d", id, ok, k.Primary())
	}
	for _, test := range []struct {
		name          string
		sealed, about []byte
		opens         bool
	}{
		{"with what it is about", sealed, about, true},
		{"about something else", sealed, []byte("credentials.sealed/2"), false},
		{"about nothing", sealed, nil, false},
		{"cut off", sealed[:len(sealed)-1], about, false},
		{"with a bit flipped", append(bytes.Clone(sealed[:len(sealed)-1]), sealed[len(sealed)-1]^1), about, false},
		{"not sealed at all", plain, about, false},
		{"nothing", nil, about, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := k.Open(test.sealed, test.about)
			if test.opens != (err == nil) || test.opens && !bytes.Equal(got, plain) {
				t.Errorf("got %q, %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v shows the value", err)
			}
		})
	}
}

func TestKeysetFromText(t *testing.T) {
	t.Parallel()
	k := must(seal.New())(t)
	text := must(k.Text())(t).Reveal()
	sealed := must(k.Seal([]byte("x"), nil))(t)
	for name, form := range map[string]string{
		"JSON": text, "JSON with space around": "\n " + text + " \n", "base64 of it": base64.StdEncoding.EncodeToString([]byte(text)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same := must(seal.FromText("WINDLASS_KEYSET", form))(t)
			must(same.Open(sealed, nil))(t)
			if err := same.Rotate(func(uint32) bool { return false }); err == nil || !strings.Contains(err.Error(), "cannot be changed from here") {
				t.Errorf("rotating it: %v", err)
			}
			next := must(seal.FromText("WINDLASS_KEYSET", must(same.Next())(t).Reveal()))(t)
			must(next.Open(sealed, nil))(t)
			if next.Primary() == k.Primary() || same.Primary() != k.Primary() {
				t.Error("the next keyset seals with the same key, or the old one with another")
			}
		})
	}
	if _, err := seal.FromText("WINDLASS_KEYSET", text[:len(text)-10]); err == nil || !strings.Contains(err.Error(), "the keyset WINDLASS_KEYSET is cut off") {
		t.Errorf("a truncated one: %v", err)
	}
}

// Two processes that start for the first time end up with one keyset.
func TestCreateAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyset.json")
	keysets := make([]*seal.Keyset, 8)
	var group sync.WaitGroup
	for i := range keysets {
		keysets[i] = must(seal.FromFile(path))(t)
		group.Go(func() {
			if err := keysets[i].Create(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, k := range keysets {
		if k.Primary() != keysets[0].Primary() || k.Primary() == 0 {
			t.Fatal("two processes made two keysets")
		}
	}
	if left := must(os.ReadDir(filepath.Dir(path)))(t); len(left) != 1 {
		t.Errorf("%d files are left, want one", len(left))
	}
}

// A process that has not noticed a rotation reads the file again when it meets a
// key that it does not know, and what it sealed itself still opens.
func TestRotateUnderAnother(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyset.json")
	one := must(seal.FromFile(path))(t)
	if _, err := one.Seal(nil, nil); err == nil {
		t.Error("a keyset that is absent seals")
	}
	if err := one.Create(); err != nil {
		t.Fatal(err)
	}
	other := must(seal.FromFile(path))(t)
	if err := one.Rotate(func(uint32) bool { return false }); err != nil {
		t.Fatal(err)
	}
	must(one.Open(must(other.Seal([]byte("by the old key"), nil))(t), nil))(t)
	must(other.Open(must(one.Seal([]byte("by the new key"), nil))(t), nil))(t)
	first := must(other.Seal([]byte("x"), nil))(t) // other knows the new key by now
	if id, _ := seal.KeyOf(first); id != one.Primary() {
		t.Error("the other process still seals by the old key")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	unknown := must(must(seal.New())(t).Seal(nil, nil))(t)
	if _, err := one.Open(unknown, nil); err == nil || !strings.Contains(err.Error(), "keyset.json") {
		t.Errorf("its file is gone: %v", err)
	}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
