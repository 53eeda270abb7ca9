package sqstest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// store is one queue.
type store struct {
	name       string
	created    time.Time
	attributes map[string]string
	visibility time.Duration
	wait       time.Duration
	retention  time.Duration
	maxSize    int
	delay      time.Duration
	dead       string // name of the dead-letter queue, empty for none
	maxReceive int
	messages   []*message // in the order sent
	receipts   map[string]*message
	purged     time.Time
}

// moveTask is a redrive that was asked for; it is done at once.
type moveTask struct {
	handle, source string
	moved          int64
	started        time.Time
}

// numbers are the attributes that are whole numbers, with their bounds.
var numbers = map[string][3]int{ // least, most, default
	"DelaySeconds":                  {0, 900, 0},
	"MaximumMessageSize":            {1024, maxSize, maxSize},
	"MessageRetentionPeriod":        {60, 14 * 86400, 4 * 86400},
	"ReceiveMessageWaitTimeSeconds": {0, 20, 0},
	"VisibilityTimeout":             {0, 12 * 3600, 30},
}

func (q *store) set(attributes map[string]string) error {
	for name, value := range attributes {
		switch bounds, isNumber := numbers[name]; {
		case isNumber:
			n, err := strconv.Atoi(value)
			if err != nil || n < bounds[0] || n > bounds[1] {
				return errValue.with("Invalid value for the parameter " + name + ".")
			}
		case name == "RedrivePolicy":
			if err := q.setRedrive(value); err != nil {
				return err
			}
		case name != "SqsManagedSseEnabled":
			return errAttribute.with("Unknown Attribute " + name + ".")
		}
		q.attributes[name] = value
	}
	number := func(name string) int {
		n, err := strconv.Atoi(q.attributes[name])
		if err != nil {
			return numbers[name][2]
		}
		return n
	}
	q.visibility = time.Duration(number("VisibilityTimeout")) * time.Second
	q.wait = time.Duration(number("ReceiveMessageWaitTimeSeconds")) * time.Second
	q.retention = time.Duration(number("MessageRetentionPeriod")) * time.Second
	q.delay = time.Duration(number("DelaySeconds")) * time.Second
	q.maxSize = number("MaximumMessageSize")
	return nil
}

func (q *store) setRedrive(policy string) error {
	var p struct {
		DeadLetterTargetArn string
		MaxReceiveCount     json.RawMessage // a number, or a number as a string
	}
	if policy == "" {
		q.dead, q.maxReceive = "", 0
		return nil
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return errValue.with("Invalid value for the parameter RedrivePolicy.")
	}
	n, err := strconv.Atoi(strings.Trim(string(p.MaxReceiveCount), `"`))
	parts := strings.Split(p.DeadLetterTargetArn, ":")
	if err != nil || n < 1 || n > 1000 || len(parts) != 6 {
		return errValue.with("Invalid value for the parameter RedrivePolicy.")
	}
	q.dead, q.maxReceive = parts[5], n
	return nil
}

func (s *Server) arn(q *store) string {
	return fmt.Sprintf("arn:aws:sqs:%s:%s:%s", s.region, account, q.name)
}

func url(host, name string) string { return "http://" + host + "/" + account + "/" + name }

// at finds the queue of a URL.
func (s *Server) at(queueURL string) (*store, error) {
	if queueURL == "" {
		return nil, errMissing("QueueUrl")
	}
	_, name, _ := strings.Cut(queueURL, "/"+account+"/")
	q, ok := s.queues[name]
	if !ok {
		return nil, errNoQueue
	}
	return q, nil
}

type attributesIn struct {
	QueueName  string
	QueueUrl   string
	Attributes map[string]string
}

type urlOut struct{ QueueUrl string }

var nameOK = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (s *Server) createQueue(host string, in *attributesIn) (any, error) {
	if !nameOK.MatchString(in.QueueName) {
		return nil, errBad("QueueName", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
	}
	if q, ok := s.queues[in.QueueName]; ok {
		for name, value := range in.Attributes {
			if q.attributes[name] != value {
				return nil, errNameExists
			}
		}
		return &urlOut{url(host, q.name)}, nil
	}
	q := &store{name: in.QueueName, created: s.now(), attributes: map[string]string{}, receipts: map[string]*message{}}
	if err := q.set(in.Attributes); err != nil {
		return nil, err
	}
	if _, ok := s.queues[q.dead]; q.dead != "" && !ok {
		return nil, errValue.with("The dead-letter queue does not exist.")
	}
	s.queues[q.name] = q
	return &urlOut{url(host, q.name)}, nil
}

func (s *Server) getQueueURL(host string, in *struct{ QueueName, QueueOwnerAWSAccountId string }) (any, error) {
	if _, ok := s.queues[in.QueueName]; !ok {
		return nil, errNoQueue
	}
	return &urlOut{url(host, in.QueueName)}, nil
}

func (s *Server) setQueueAttributes(_ string, in *attributesIn) (any, error) {
	q, err := s.at(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return struct{}{}, q.set(in.Attributes)
}

func (s *Server) getQueueAttributes(_ string, in *struct {
	QueueUrl       string
	AttributeNames []string
}) (any, error) {
	q, err := s.at(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	s.expire(q)
	var waiting, inFlight, delayed int
	for _, m := range q.messages {
		switch {
		case !m.visibleAt.After(s.now()):
			waiting++
		case m.receives == 0:
			delayed++
		default:
			inFlight++
		}
	}
	all := map[string]string{
		"QueueArn":                              s.arn(q),
		"CreatedTimestamp":                      strconv.FormatInt(q.created.Unix(), 10),
		"ApproximateNumberOfMessages":           strconv.Itoa(waiting),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(inFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
	}
	for name, bounds := range numbers {
		all[name] = strconv.Itoa(bounds[2])
	}
	for name, value := range q.attributes {
		all[name] = value
	}
	out := map[string]string{}
	for _, name := range in.AttributeNames {
		value, ok := all[name]
		switch {
		case name == "All":
			return map[string]any{"Attributes": all}, nil
		case ok:
			out[name] = value
		case name != "RedrivePolicy":
			return nil, errAttribute.with("Unknown Attribute " + name + ".")
		}
	}
	if len(out) == 0 {
		return struct{}{}, nil
	}
	return map[string]any{"Attributes": out}, nil
}

func (s *Server) purgeQueue(_ string, in *struct{ QueueUrl string }) (any, error) {
	q, err := s.at(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if s.now().Sub(q.purged) < time.Minute {
		return nil, errPurging
	}
	q.purged, q.messages, q.receipts = s.now(), nil, map[string]*message{}
	return struct{}{}, nil
}

// expire lets go of messages that are older than the retention.
func (s *Server) expire(q *store) {
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return s.now().Sub(m.sentAt) > q.retention })
}

func (s *Server) byARN(arn string) *store {
	for _, q := range s.queues {
		if s.arn(q) == arn {
			return q
		}
	}
	return nil
}

// startMoveTask moves what is visible in a dead-letter queue back to where it
// came from; a message that came from nowhere goes to the given destination.
func (s *Server) startMoveTask(_ string, in *struct {
	SourceArn, DestinationArn    string
	MaxNumberOfMessagesPerSecond int
}) (any, error) {
	source, destination := s.byARN(in.SourceArn), s.byARN(in.DestinationArn)
	isDead := false
	for _, q := range s.queues {
		isDead = isDead || source != nil && q.dead == source.name
	}
	if !isDead || in.DestinationArn != "" && destination == nil {
		return nil, errNoResource
	}
	task := &moveTask{handle: "task-" + s.nextID(), source: in.SourceArn, started: s.now()}
	s.tasks = append(s.tasks, task)
	source.messages = slices.DeleteFunc(source.messages, func(m *message) bool {
		to := destination
		if to == nil {
			to = s.queues[m.from]
		}
		if to == nil || m.visibleAt.After(s.now()) {
			return false
		}
		task.moved++
		// The redrive makes a new message of it.
		to.messages = append(to.messages, &message{id: s.nextID(), body: m.body, group: m.group, sentAt: s.now(), visibleAt: s.now()})
		return true
	})
	s.wakeLocked()
	return map[string]string{"TaskHandle": task.handle}, nil
}

func (s *Server) listMoveTasks(_ string, in *struct {
	SourceArn  string
	MaxResults int
}) (any, error) {
	if s.byARN(in.SourceArn) == nil {
		return nil, errNoResource
	}
	results := []map[string]any{}
	for _, task := range slices.Backward(s.tasks) {
		if task.source == in.SourceArn && len(results) < max(1, in.MaxResults) {
			results = append(results, map[string]any{
				"Status": "COMPLETED", "SourceArn": task.source, "StartedTimestamp": task.started.UnixMilli(),
				"ApproximateNumberOfMessagesMoved": task.moved, "ApproximateNumberOfMessagesToMove": task.moved,
			})
		}
	}
	return map[string]any{"Results": results}, nil
}
