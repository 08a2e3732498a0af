package read

import (
	"encoding/json"
	"strconv"
	"time"

	"windlass"
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

// newEnvelope fills in what all messages of an operation say. mapped is the name
// that the product gave the object, if any.
func newEnvelope(in windlass.Installation, p windlass.Operation, mapped string) envelope {
	e := envelope{
		ProjectID: in.ProjectID, Provider: in.Connection.Provider, Workspace: p.Workspace,
		GroupRef: in.Group.Ref, GroupName: in.Group.Name,
		ConsumerRef: in.Connection.Consumer.Ref, ConsumerName: in.Connection.Consumer.Name,
		InstallationID: in.ID, InstallationUpdateTime: in.Updated.UTC().Format(time.RFC3339Nano),
		ObjectName: p.Object, Action: windlass.ActionRead, ReadType: readTypes[p.Trigger],
		OperationID: p.ID, OperationTime: p.Created.UTC().Format(time.RFC3339Nano),
	}
	if mapped != "" && mapped != p.Object {
		e.ObjectName, e.RawObjectName = mapped, p.Object
	}
	return e
}

// message is one body to send. Its one record is in large when it does not fit:
// then there is no body yet.
type message struct {
	body    []byte
	records int
	keys    []uint32 // of the records
	large   []byte
}

// packer puts entries into as few messages as hold them, in order and without
// cutting one.
type packer struct {
	head        []byte // {"projectId":…,"operationTime":"…"
	mostRecords int    // in one message; 0 is any number

	packed []message
	body   []byte // of the message being filled
	n      int
	keys   []uint32
	entry  []byte
}

const (
	beforeEntries = `,"result":[`
	afterEntries  = `],"resultInfo":{"type":"inline","numRecords":`
	afterCount    = `}}`
)

func newPacker(e envelope, mostRecords int) (*packer, error) {
	head, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return &packer{head: head[:len(head)-1], mostRecords: mostRecords}, nil
}

// add takes the entry of a record, which the function appends to what it is given.
func (p *packer) add(key uint32, write func(dst []byte) ([]byte, error)) error {
	var err error
	if p.entry, err = write(p.entry[:0]); err != nil {
		return err
	}
	if p.n > 0 && (p.n == p.mostRecords || p.size(len(p.body)+1+len(p.entry), p.n+1) > MaxMessage) {
		p.flush()
	}
	if p.n == 0 && p.size(len(p.head)+len(beforeEntries)+len(p.entry), 1) > MaxMessage {
		large := append(append([]byte{'['}, p.entry...), ']')
		p.packed = append(p.packed, message{records: 1, keys: []uint32{key}, large: large})
		return nil
	}
	if p.n == 0 {
		p.body = append(append(make([]byte, 0, MaxMessage/4), p.head...), beforeEntries...)
	} else {
		p.body = append(p.body, ',')
	}
	p.body = append(p.body, p.entry...)
	p.n++
	p.keys = append(p.keys, key)
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
	p.packed = append(p.packed, message{body: body, records: p.n, keys: p.keys})
	p.body, p.n, p.keys = nil, 0, nil
}

// take returns what was packed, and begins anew.
func (p *packer) take() []message {
	p.flush()
	packed := p.packed
	p.packed = nil
	return packed
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
