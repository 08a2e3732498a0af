package store

import (
	"context"

	"windlass"
)

var readPageSays = says{Taken: "the page has been kept already", Dangling: "there is no such operation"}

// KeepReadPage notes a page of a read that is under way.
func (s *Store) KeepReadPage(ctx context.Context, p windlass.ReadPage) error {
	if p.Records == nil {
		p.Records = []byte{} // which is no NULL
	}
	_, err := s.exec(ctx, `INSERT INTO read_pages (operation_id, number, pass, began, keyed, gave_way, interrupted, size, records)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
		p.OperationID, p.Number, p.Pass, micros(p.Began), p.Keyed, p.GaveWay, p.Interrupted, p.Size, p.Records)
	return s.fail("keep a page of the operation "+p.OperationID, err, readPageSays)
}

// ReadPages lists the pages of a read that is under way, in order.
func (s *Store) ReadPages(ctx context.Context, operationID string) ([]windlass.ReadPage, error) {
	all, err := list(ctx, s, func(r row) (p windlass.ReadPage, err error) {
		err = r.Scan(&p.OperationID, &p.Number, &p.Pass, when{&p.Began}, &p.Keyed, &p.GaveWay, &p.Interrupted, &p.Size, &p.Records)
		return p, err
	}, `SELECT operation_id, number, pass, began, keyed, gave_way, interrupted, size, records FROM read_pages
		WHERE operation_id = ?1 ORDER BY number`, operationID)
	return all, s.fail("list the pages of the operation "+operationID, err, readPageSays)
}

// DropReadPages removes the pages of a read that has ended.
func (s *Store) DropReadPages(ctx context.Context, operationID string) error {
	_, err := s.exec(ctx, `DELETE FROM read_pages WHERE operation_id = ?1`, operationID)
	return s.fail("remove the pages of the operation "+operationID, err, readPageSays)
}
