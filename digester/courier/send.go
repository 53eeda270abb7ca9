package courier

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"sundew/digester/mail"
	"sundew/digester/notify"
	"sundew/digester/outbound"
	"sundew/digester/store"
)

// sendTimeout bounds one attempt; the outbox's lease is longer.
const sendTimeout = 20 * time.Second

// send makes one attempt, and returns beside what came of it the kind of its failure:
// that is for the log, where neither addresses nor what a receiver says belong, which
// often quotes the message.
func (c *Courier) send(ctx context.Context, d store.Dispatch) (store.Attempt, string) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if d.Channel.Kind == notify.Mail {
		return c.sendMail(ctx, d)
	}
	r, err := notify.Render(notify.Delivery{
		ID: deliveryID(d), Kind: d.Channel.Kind, Config: d.Channel.Config, Message: d.Message, LeftOut: d.LeftOut, At: c.cfg.Now(),
	}, c.cfg.Services)
	if err != nil {
		return store.Attempt{Failure: err.Error(), Final: true}, "not to be put into a request"
	}
	header := http.Header{"User-Agent": {"Sundew"}}
	for name, value := range r.Header {
		header.Set(name, value)
	}
	answer, err := c.cfg.Client.Post(ctx, r.URL, header, r.Body)
	if err != nil {
		return store.Attempt{Failure: d.Channel.Config.Hide(failureWords(err)), Final: errors.Is(err, outbound.ErrAddress)}, failureClass(err)
	}
	v := notify.Judge(answer.Status, answer.Header.Get("Retry-After"), answer.Body, c.cfg.Now())
	return store.Attempt{Failure: d.Channel.Config.Hide(v.Failure), Final: v.Final, Pause: v.Pause}, "answered " + strconv.Itoa(answer.Status)
}

// deliveryID is the same for all attempts at a message, and for no other message: a
// row's number alone may come again when rows have been deleted, its time does not.
func deliveryID(d store.Dispatch) string {
	return "n-" + strconv.FormatInt(d.ID, 10) + "." + strconv.FormatInt(d.Message.At.UnixMilli(), 36)
}

// failureWords says for people why there was no answer.
func failureWords(err error) string {
	if errors.Is(err, outbound.ErrAddress) {
		return err.Error() + "; the operator can allow networks with SUNDEW_ALLOW_NETWORKS"
	}
	if isTimeout(err) {
		return "no answer in time"
	}
	return err.Error()
}

// failureClass says for the log of what kind an error without an answer is.
func failureClass(err error) string {
	switch {
	case errors.Is(err, outbound.ErrAddress):
		return "address not allowed"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case isTimeout(err):
		return "timeout"
	}
	return "not reached"
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

func (c *Courier) sendMail(ctx context.Context, d store.Dispatch) (store.Attempt, string) {
	if c.cfg.Mail.Host == "" {
		return store.Attempt{Failure: "this installation has no mail server; the operator can name one with SUNDEW_SMTP", Final: true}, "no mail server"
	}
	l := notify.NewLetter(d.Message, d.LeftOut)
	err := c.cfg.Mail.Send(ctx, mail.Letter{
		ID:   deliveryID(d),
		From: c.cfg.From, To: d.Recipient, Subject: l.Subject, Text: l.Text + "\n", HTML: l.HTML, Date: c.cfg.Now(),
	})
	if err != nil {
		return store.Attempt{Failure: err.Error(), Final: errors.Is(err, mail.ErrRefused), OfRecipient: errors.Is(err, mail.ErrRecipient)}, mail.Class(err)
	}
	return store.Attempt{}, ""
}
