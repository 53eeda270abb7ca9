package sqstest

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	maxSize     = 1 << 20 // of a message, and of all of a batch
	maxEntries  = 10
	maxInFlight = 120_000
	maxHold     = 12 * time.Hour
)

// message is one message of a queue.
type message struct {
	id        string
	body      string
	group     string
	sentAt    time.Time
	firstAt   time.Time // first received; zero before
	heldFrom  time.Time // received last
	visibleAt time.Time
	receives  int
	receipt   string // of the last delivery
	from      string // name of the queue that it is a dead letter of
}

// nextID makes ids that look like SQS's.
func (s *Server) nextID() string {
	s.last++
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", s.last, s.last)
}

func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// legal tells whether text is what SQS takes: characters that XML allows.
func legal(text string) bool {
	for _, r := range text {
		if r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

type sendIn struct {
	Id             string // in a batch
	QueueUrl       string // else
	MessageBody    string
	MessageGroupId string
	DelaySeconds   *int
}

type sendOut struct {
	Id               string `json:",omitempty"`
	MessageId        string
	MD5OfMessageBody string
}

var groupOK = regexp.MustCompile(`^[!-~]{1,128}$`)

func (s *Server) send(q *store, in *sendIn) (*sendOut, error) {
	delay := q.delay
	switch {
	case in.MessageBody == "":
		return nil, errMissing("MessageBody")
	case len(in.MessageBody) > q.maxSize:
		return nil, errBad("MessageBody", fmt.Sprintf("Message must be shorter than %d bytes.", q.maxSize))
	case !legal(in.MessageBody):
		return nil, errContents
	case in.MessageGroupId != "" && !groupOK.MatchString(in.MessageGroupId):
		return nil, errBad("MessageGroupId", "It can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	case in.DelaySeconds != nil:
		if *in.DelaySeconds < 0 || *in.DelaySeconds > 900 {
			return nil, errBad("DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
		}
		delay = time.Duration(*in.DelaySeconds) * time.Second
	}
	m := &message{id: s.nextID(), body: in.MessageBody, group: in.MessageGroupId, sentAt: s.now(), visibleAt: s.now().Add(delay)}
	q.messages = append(q.messages, m)
	s.wakeLocked()
	return &sendOut{Id: in.Id, MessageId: m.id, MD5OfMessageBody: md5Of(m.body)}, nil
}

func (s *Server) sendMessage(_ string, in *sendIn) (any, error) {
	q, err := s.at(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return s.send(q, in)
}

func (s *Server) sendMessageBatch(_ string, in *batchIn[sendIn]) (any, error) {
	total := 0
	for _, e := range in.Entries {
		total += len(e.MessageBody)
	}
	if total > maxSize {
		return nil, errTooLong
	}
	return batch(s, "SendMessageBatch", in, func(e *sendIn) string { return e.Id },
		func(q *store, e *sendIn) (any, error) { return s.send(q, e) })
}

type receiveIn struct {
	QueueUrl                    string
	MaxNumberOfMessages         *int
	WaitTimeSeconds             *int
	VisibilityTimeout           *int
	AttributeNames              []string // the older name of the next
	MessageSystemAttributeNames []string
}

// received is the answer of a receive, and what a long poll has to know.
type received struct {
	Messages []delivery `json:",omitempty"`
	wait     time.Duration
	next     time.Time // when the next message becomes visible; zero: none will
}

type delivery struct {
	MessageId     string
	ReceiptHandle string
	Body          string
	MD5OfBody     string
	Attributes    map[string]string `json:",omitempty"`
}

// number returns a parameter, checked, or what holds without it.
func number(name string, given *int, least, most int, otherwise time.Duration) (time.Duration, error) {
	if given == nil {
		return otherwise, nil
	}
	if *given < least || *given > most {
		return 0, errBad(name, fmt.Sprintf("Must be >= %d and <= %d, if provided.", least, most))
	}
	return time.Duration(*given) * time.Second, nil
}

// receiveNow delivers what is visible.
func (s *Server) receiveNow(_ string, in *receiveIn) (any, error) {
	q, err := s.at(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	out := &received{}
	most, err := number("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, maxEntries, time.Second)
	if err != nil {
		return nil, err
	}
	if out.wait, err = number("WaitTimeSeconds", in.WaitTimeSeconds, 0, 20, q.wait); err != nil {
		return nil, err
	}
	hold, err := number("VisibilityTimeout", in.VisibilityTimeout, 0, int(maxHold.Seconds()), q.visibility)
	if err != nil {
		return nil, err
	}
	s.expire(q)
	inFlight := 0
	for _, m := range slices.Clone(q.messages) {
		if m.visibleAt.After(s.now()) {
			if m.receives > 0 {
				inFlight++
			}
			if out.next.IsZero() || m.visibleAt.Before(out.next) {
				out.next = m.visibleAt
			}
			continue
		}
		if q.dead != "" && m.receives >= q.maxReceive {
			s.bury(q, m)
		} else if len(out.Messages) < int(most/time.Second) {
			out.Messages = append(out.Messages, s.deliver(q, m, hold, append(in.AttributeNames, in.MessageSystemAttributeNames...)))
		}
	}
	if inFlight >= maxInFlight {
		out.Messages = nil
		if out.wait == 0 {
			return nil, errOverLimit
		}
	}
	return out, nil
}

// bury makes a message a dead letter. It keeps its age.
func (s *Server) bury(q *store, m *message) {
	q.messages = slices.DeleteFunc(q.messages, func(other *message) bool { return other == m })
	if dead, ok := s.queues[q.dead]; ok {
		m.from, m.receipt, m.visibleAt, m.heldFrom = q.name, "", s.now(), time.Time{}
		dead.messages = append(dead.messages, m)
		s.wakeLocked()
	}
}

func (s *Server) deliver(q *store, m *message, hold time.Duration, names []string) delivery {
	if s.faults.duplicates > 0 {
		s.faults.duplicates--
		again := *m
		q.messages = append(q.messages, &again)
	}
	now := s.now()
	m.receives++
	if m.firstAt.IsZero() {
		m.firstAt = now
	}
	m.heldFrom, m.visibleAt, m.receipt = now, now.Add(hold), "receipt-"+s.nextID()
	q.receipts[m.receipt] = m
	all := map[string]string{
		"SenderId":                         account,
		"SentTimestamp":                    strconv.FormatInt(m.sentAt.UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.firstAt.UnixMilli(), 10),
	}
	if m.group != "" {
		all["MessageGroupId"] = m.group
	}
	if from, ok := s.queues[m.from]; ok {
		all["DeadLetterQueueSourceArn"] = s.arn(from)
	}
	if !slices.Contains(names, "All") {
		for name := range all {
			if !slices.Contains(names, name) {
				delete(all, name)
			}
		}
	}
	return delivery{MessageId: m.id, ReceiptHandle: m.receipt, Body: m.body, MD5OfBody: md5Of(m.body), Attributes: all}
}
