package sandbox

// vocabulary is what seeded names and texts are made of.
type vocabulary struct {
	first, second, languages, given, family, projects, descriptions, branches []string
}

func newVocabulary() *vocabulary {
	return &vocabulary{
		first: []string{
			"amber", "anchor", "beacon", "birch", "canvas", "cedar", "cobalt", "copper",
			"delta", "ember", "fjord", "granite", "harbor", "indigo", "juniper", "kelp",
			"lantern", "maple", "meridian", "nimbus", "onyx", "orchid", "pebble", "quartz",
			"ripple", "saffron", "slate", "tidal", "umber", "velvet", "willow", "zephyr",
		},
		second: []string{
			"api", "agent", "billing", "cache", "catalog", "client", "console", "daemon",
			"dashboard", "deploy", "docs", "exporter", "gateway", "importer", "infra", "ledger",
			"mailer", "metrics", "mobile", "notifier", "parser", "pipeline", "proxy", "reports",
			"scheduler", "sdk", "search", "site", "storage", "sync", "toolkit", "worker",
		},
		languages: []string{
			"go", "python", "javascript", "typescript", "java", "kotlin", "c#", "c++",
			"ruby", "rust", "php", "swift", "shell", "html/css", "scala", "",
		},
		given: []string{
			"Ada", "Bruno", "Chiara", "Dmitri", "Esra", "Farid", "Grete", "Hana", "Ivo",
			"Jonas", "Kaya", "Lucía", "Mateus", "Noor", "Oskar", "Priya", "Quinn", "Rosa",
			"Søren", "Tomoko", "Ulla", "Viktor", "Wanjiru", "Xavier", "Yara", "Žofia",
		},
		family: []string{
			"Almeida", "Bauer", "Castro", "Dahl", "Eriksen", "Fontaine", "Greco", "Haddad",
			"Ito", "Jansen", "Kowalski", "Lindqvist", "Moreau", "Novák", "Okafor", "Petrov",
			"Quispe", "Rossi", "Schmidt", "Tanaka", "Ueda", "Vargas", "Weber", "Yilmaz",
		},
		projects: []string{
			"Platform", "Billing", "Mobile", "Data", "Website", "Security", "Research",
			"Operations", "Partners", "Support", "Archive", "Sandpit", "Design", "Growth",
			"Identity", "Payments", "Search", "Reporting",
		},
		descriptions: []string{
			"Keeps the nightly jobs honest.",
			"Customer-facing service; see the runbook before touching the queue.",
			"Shared code of three teams, owned by none of them.",
			"Prototype. Not deployed anywhere.",
			"Moved here from the old server in one piece.",
			"Crème brûlée recipes, and the build scripts ⚓🚢",
			"Multi-line text:\n* first\n* second \"quoted\"",
			"設定ファイルと移行スクリプト",
			"",
		},
		branches: []string{"main", "main", "main", "master", "develop", "trunk"},
	}
}
