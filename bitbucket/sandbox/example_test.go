package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"

	"windlass/bitbucket/sandbox"
)

// A client of Bitbucket is tested against the sandbox by giving it the
// sandbox's transport.
func Example() {
	bitbucket := sandbox.New(&sandbox.Options{Repositories: 1000})
	client := &http.Client{Transport: bitbucket.Transport()}

	request, err := http.NewRequest(http.MethodGet, "https://api.bitbucket.org/2.0/repositories/acme?pagelen=100&fields=size,next", nil)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+bitbucket.Credentials().AccessToken)
	response, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	var page struct {
		Size int
		Next string
	}
	err = json.NewDecoder(response.Body).Decode(&page)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Size)
	fmt.Println(page.Next)
	fmt.Println(bitbucket.Requests())
	// Output:
	// 1000
	// https://api.bitbucket.org/2.0/repositories/acme?pagelen=100&fields=size,next&page=2
	// 1
}

// Faults show what a client makes of bad days.
func ExampleServer_Inject() {
	bitbucket := sandbox.New(nil)
	fault, err := sandbox.ParseFault("html=502,path=/2.0/repositories/*,after=1,times=2")
	if err != nil {
		log.Fatal(err)
	}
	bitbucket.Inject(fault)

	client := &http.Client{Transport: bitbucket.Transport()}
	for range 4 {
		request, err := http.NewRequest(http.MethodGet, "https://api.bitbucket.org/2.0/repositories/acme", nil)
		if err != nil {
			log.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+bitbucket.Credentials().AccessToken)
		response, err := client.Do(request)
		if err != nil {
			log.Fatal(err)
		}
		_ = response.Body.Close()
		fmt.Println(response.StatusCode)
	}
	// Output:
	// 200
	// 502
	// 502
	// 200
}
