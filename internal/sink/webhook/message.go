package webhook

import (
	"encoding/json"
	"strconv"
	"time"

	"windlass"
	"windlass/internal/sink"
)

// MaxMessage is how many bytes a message has at most. The contract says 300 KB,
// which this is by either way of counting.
const MaxMessage = 300_000

// envelope is a message without its records, in the contract's shape.
type envelope struct {
	ProjectID              string `json:"projectId"`
	Provider               string `json:"provider"`
	Workspace              string `json:"workspace,omitempty"`
	GroupRef               string `json:"groupRef"`
	GroupName              string `json:"groupName"`
	ConsumerRef            string `json:"consumerRef"`
	ConsumerName           string `json:"consumerName"`
	InstallationID         string `json:"installationId"`
	InstallationUpdateTime string `json:"installationUpdateTime"`
	ObjectName             string `json:"objectName"`
	RawObjectName          string `json:"rawObjectName,omitempty"`
	Action                 string `json:"action"`
	// ReadType makes a backfill recognizable.
	ReadType      string `json:"readType"`
	OperationID   string `json:"operationId"`
	OperationTime string `json:"operationTime"`
}

var readTypes = map[string]string{
	windlass.TriggerBackfill: "backfill", windlass.TriggerSchedule: "scheduled", windlass.TriggerAsked: "triggered",
}

// headOf is what all messages of a read begin with.
func headOf(of sink.Read) ([]byte, error) {
	in, p := &of.Installation, &of.Operation
	e := envelope{
		ProjectID: in.ProjectID, Provider: in.Connection.Provider, Workspace: p.Workspace,
		GroupRef: in.Group.Ref, GroupName: in.Group.Name,
		ConsumerRef: in.Connection.Consumer.Ref, ConsumerName: in.Connection.Consumer.Name,
		InstallationID: in.ID, InstallationUpdateTime: in.Updated.UTC().Format(time.RFC3339Nano),
		ObjectName: p.Object, Action: windlass.ActionRead, ReadType: readTypes[p.Trigger],
		OperationID: p.ID, OperationTime: p.Created.UTC().Format(time.RFC3339Nano),
	}
	if of.MappedName != "" && of.MappedName != p.Object {
		e.ObjectName, e.RawObjectName = of.MappedName, p.Object
	}
	head, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return head[:len(head)-1], nil
}

// Encode makes messages of records, or a notification of each event.
func (s *Sink) Encode(_ windlass.Destination, of sink.Stream, entries []sink.Entry) ([]sink.Batch, error) {
	if of.Kind != windlass.BatchRead {
		return notifications(of.Kind, entries)
	}
	head, err := headOf(of.Read)
	if err != nil {
		return nil, err
	}
	p := packer{head: head, maxRecords: of.Read.MaxRecords, setAside: s.setAside}
	for i := range entries {
		if err := p.add(entries[i].JSON); err != nil {
			return nil, err
		}
	}
	p.flush()
	return p.packed, nil
}

// A notification is what is told of an event.
type notification struct {
	Type string          `json:"notificationType"`
	Data json.RawMessage `json:"data"`
}

func notifications(event string, entries []sink.Entry) ([]sink.Batch, error) {
	batches := make([]sink.Batch, len(entries))
	for i := range entries {
		body, err := json.Marshal(notification{event, entries[i].JSON})
		if err != nil {
			return nil, err
		}
		batches[i] = sink.Batch{Body: body, Entries: 1}
	}
	return batches, nil
}

// packer puts entries into as few messages as hold them, in order and without
// cutting one.
type packer struct {
	head       []byte // {"projectId":…,"operationTime":"…"
	maxRecords int    // in one message; 0 is any number
	setAside   func(entry []byte) (kept *windlass.LargeRecord, url string)

	packed []sink.Batch
	body   []byte // of the message being filled
	n      int
}

const (
	beforeEntries = `,"result":[`
	afterEntries  = `],"resultInfo":{"type":"inline","numRecords":`
	afterCount    = `}}`
)

// add takes an entry.
func (p *packer) add(entry []byte) error {
	if p.n > 0 && (p.n == p.maxRecords || p.size(len(p.body)+1+len(entry), p.n+1) > MaxMessage) {
		p.flush()
	}
	if p.n == 0 && p.size(len(p.head)+len(beforeEntries)+len(entry), 1) > MaxMessage {
		kept, url := p.setAside(entry)
		body, err := p.pointer(url)
		if err != nil {
			return err
		}
		p.packed = append(p.packed, sink.Batch{Body: body, Entries: 1, Aside: kept})
		return nil
	}
	if p.n == 0 {
		p.body = append(append(make([]byte, 0, MaxMessage/4), p.head...), beforeEntries...)
	} else {
		p.body = append(p.body, ',')
	}
	p.body = append(p.body, entry...)
	p.n++
	return nil
}

// size is how long a message of n records is that is filled so far.
func (p *packer) size(filled, n int) int {
	return filled + len(afterEntries) + len(strconv.Itoa(n)) + len(afterCount)
}

// flush ends the message being filled, if there is one.
func (p *packer) flush() {
	if p.n == 0 {
		return
	}
	body := append(p.body, afterEntries...) //nolint:gocritic // body is given up right below
	body = strconv.AppendInt(body, int64(p.n), 10)
	body = append(body, afterCount...)
	p.packed = append(p.packed, sink.Batch{Body: body, Entries: p.n})
	p.body, p.n = nil, 0
}

// pointer is the body of a message whose record has to be fetched.
func (p *packer) pointer(url string) ([]byte, error) {
	info, err := json.Marshal(struct {
		Type        string `json:"type"`
		DownloadURL string `json:"downloadUrl"`
		NumRecords  int    `json:"numRecords"`
	}{"url", url, 1})
	if err != nil {
		return nil, err
	}
	body := append(append([]byte{}, p.head...), `,"resultInfo":`...)
	return append(append(body, info...), '}'), nil
}
