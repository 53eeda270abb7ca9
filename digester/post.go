package main

import (
	"time"

	"sundew/digester/courier"
	"sundew/digester/dashboard"
	"sundew/digester/mail"
	"sundew/digester/outbound"
	"sundew/digester/store"
)

// openMail makes the postman, if there is a server that takes mail.
func (s *service) openMail() {
	if s.cfg.SMTP.Host == "" {
		return
	}
	s.postman = mail.NewPostman(mail.Config{
		DB: s.db, Replica: s.replica, Server: s.cfg.SMTP, From: s.cfg.MailFrom, Now: time.Now, Log: s.log,
		Address: func(kind store.LinkKind, secret string) string { return dashboard.LinkURL(s.url, kind, secret) },
	})
}

// callPostman returns what tells the postman that there is mail; nil: there is none.
func (s *service) callPostman() func() {
	if s.postman == nil {
		return nil
	}
	return s.postman.Call
}

// openCourier makes who carries messages to channels.
func (s *service) openCourier() {
	s.outbound = outbound.New(outbound.Config{Networks: s.cfg.Networks})
	s.courier = courier.New(courier.Config{
		DB: s.db, Replica: s.replica, Client: s.outbound, Mail: s.cfg.SMTP, From: s.cfg.MailFrom, Now: time.Now, Log: s.log,
	})
}
