package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"windlass/webhook"
)

// A receiver: it verifies the bytes as they arrive, and only then decodes them.
func ExampleVerify() {
	key, err := webhook.ParseKey(webhook.NewSecret().Reveal()) // in a program: the secret of the destination
	if err != nil {
		fmt.Println(err)
		return
	}

	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		message, err := webhook.Verify([]webhook.Key{key}, r.Header, body, time.Now())
		switch {
		case errors.Is(err, webhook.ErrMismatch):
			http.Error(w, "not from us", http.StatusUnauthorized)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		default:
			fmt.Println(message.ID, string(body))
		}
	}

	// A sender.
	body := `{"action":"read"}`
	headers, err := webhook.Headers([]webhook.Key{key}, "msg_1", time.Now(), []byte(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	request.Header = headers
	receive(httptest.NewRecorder(), request)
	// Output:
	// msg_1 {"action":"read"}
}

func ExampleSign() {
	key, err := webhook.ParseKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(webhook.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)))
	fmt.Println(key)
	// Output:
	// v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=
	// whsec_•••
}
