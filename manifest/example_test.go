package manifest_test

import (
	"errors"
	"fmt"
	"time"

	"windlass/manifest"
)

func ExampleParse() {
	m, err := manifest.Parse([]byte(`
specVersion: 1.0.0
integrations:
  - name: repositories-to-crm
    provider: bitbucket
    read:
      objects:
        - objectName: repositories
          destination: crm
          schedule: "*/10 * * * *"
          requiredFields:
            - fieldName: full_name
            - fieldName: $['project']['key']
              mapToName: project
`), &manifest.Options{File: "amp.yaml", Providers: []string{"bitbucket"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	object := m.Integrations[0].Read.Objects[0]
	fmt.Println(object.ObjectName, "go to", object.Destination, "at", object.Schedule)
	// Output:
	// repositories go to crm at */10 * * * *
}

// Everything that is wrong is reported at once, each with its place and what
// to write instead.
func ExampleProblems() {
	_, err := manifest.Parse([]byte(`
specVersion: 1.0.0
integrations:
  - name: Repositories
    provider: bitbuket
    read:
      objects:
        - objectName: repositories
          destinaton: crm
          schedule: "*/5 * * * *"
`), &manifest.Options{File: "amp.yaml", Providers: []string{"bitbucket"}})

	if problems, found := errors.AsType[manifest.Problems](err); found {
		for _, problem := range problems {
			fmt.Println(problem)
		}
	}
	// Output:
	// amp.yaml:4:11: the name "Repositories" cannot be used: write 1 to 64 lower-case letters, digits, "-" and "_", such as "repositories"
	// amp.yaml:5:15: unknown provider "bitbuket": write "bitbucket"
	// amp.yaml:9:11: unknown key "destinaton": write "destination"
	// amp.yaml:10:21: schedule "*/5 * * * *" runs every 5 minutes; the shortest gap is 10 minutes: write "*/10 * * * *"
}

func ExampleParseSchedule() {
	schedule, err := manifest.ParseSchedule("0,5 8-18/2 * * MON-FRI")
	if err != nil {
		fmt.Println(err)
		return
	}
	friday := time.Date(2026, time.November, 27, 18, 30, 0, 0, time.UTC)
	fmt.Println(schedule.Next(friday).Format(time.RFC1123))
	fmt.Println(schedule.MinGap())
	fmt.Println(schedule.AtLeast(manifest.ShortestGap))
	// Output:
	// Mon, 30 Nov 2026 08:00:00 UTC
	// 5m0s
	// schedule "0,5 8-18/2 * * MON-FRI" has runs only 5 minutes apart; the shortest gap is 10 minutes: write "0 8-18/2 * * MON-FRI"
}

func ExampleParsePath() {
	path, err := manifest.ParsePath("$['links']['clone'][*]['href']")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range path {
		if step.Every {
			fmt.Println("every entry")
		} else {
			fmt.Println(step.Key)
		}
	}
	// Output:
	// links
	// clone
	// every entry
	// href
}
