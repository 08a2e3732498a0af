package server_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// dump reads every value of every row of a PostgreSQL database, by table.
func dump(t *testing.T, address string) map[string]string {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string]string{}
	for _, table := range column(t, db, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`) {
		// The text of a row has its bytes in hexadecimal: as text they are added.
		rows := column(t, db, fmt.Sprintf(`SELECT CAST(r AS TEXT) FROM %q AS r`, table))
		for _, bytea := range column(t, db, fmt.Sprintf(`SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '%s' AND data_type = 'bytea'`, table)) {
			rows = append(rows, column(t, db, fmt.Sprintf(`SELECT %q FROM %q WHERE %q IS NOT NULL`, bytea, table, bytea))...)
		}
		all[table] = strings.Join(rows, "\n")
	}
	if len(all) < 10 {
		t.Fatalf("only the tables %v were found", all)
	}
	return all
}

// column reads one column of text.
func column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var value []byte
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		all = append(all, string(value))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
