package sqstest

import "slices"

// Create makes a queue, as a client would.
func (s *Server) Create(name string, attributes map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.createQueue("", &attributesIn{QueueName: name, Attributes: attributes})
	return err
}

// SetAttributes changes a queue, as a client would.
func (s *Server) SetAttributes(queue string, attributes map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, ok := s.queues[queue]
	if !ok {
		return errNoQueue
	}
	return q.set(attributes)
}

// Send sends a message, as a client would.
func (s *Server) Send(queue, group, body string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, ok := s.queues[queue]
	if !ok {
		return errNoQueue
	}
	_, err := s.send(q, &sendIn{MessageBody: body, MessageGroupId: group})
	return err
}

// ARN returns the name by which redrive policies name a queue.
func (s *Server) ARN(queue string) string { return s.arn(&store{name: queue}) }

// Bodies returns the messages that a queue has, in flight or not, in the order
// sent.
func (s *Server) Bodies(queue string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	if q, ok := s.queues[queue]; ok {
		for m := range slices.Values(q.messages) {
			all = append(all, m.body)
		}
	}
	return all
}
