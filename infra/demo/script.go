package main

import (
	"math"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/triage"
)

// days is how much life there is.
const days = 14

const ownerEmail = "owner@example.com"

// character is somebody of the installation.
type character struct {
	email, name string
	role        access.Role // of the installation; access.None: of their team only
	team        string
}

func cast() []character {
	return []character{
		{"ada@example.com", "Ada", access.Admin, "Payments"},
		{"ben@example.com", "Ben", access.None, "Payments"},
		{"chloe@example.com", "Chloe", access.None, "Storefront"},
		{"david@example.com", "David", access.None, "Storefront"},
	}
}

// stage is a project.
type stage struct {
	name, platform, team string
	releases             []string // in the order of their deploys, evenly over all days
	plots                []plot
}

// plot is an issue: a recorded event, and how often it comes.
type plot struct {
	recorded string
	aDay     float64                   // events, on average
	shape    func(day float64) float64 // times which, at a moment
}

// Shapes of a plot; a day has its hours of work.
func steady(day float64) float64 { return 1 + 0.7*math.Sin(2*math.Pi*(day-0.3)) }
func growing(day float64) float64 {
	return steady(day) * day * day / 60
}
func since(first float64) func(float64) float64 {
	return func(day float64) float64 {
		if day < first {
			return 0
		}
		return steady(day)
	}
}
func until(last float64) func(float64) float64 {
	return func(day float64) float64 {
		if day > last {
			return 0
		}
		return steady(day)
	}
}
func except(from, to float64) func(float64) float64 {
	return func(day float64) float64 {
		if day >= from && day < to {
			return 0
		}
		return steady(day)
	}
}
func burst(at float64) func(float64) float64 {
	return func(day float64) float64 { return 0.1*steady(day) + 30*math.Exp(-math.Pow((day-at)/0.08, 2)) }
}

func stages() []stage {
	return []stage{
		{"Web shop", "javascript", "Storefront", []string{"shop-web@5.1.0", "shop-web@5.2.0", "shop-web@5.2.1", "shop-web@5.3.0"}, []plot{
			{"browser-onerror--02", 30, growing},
			{"browser-lazy-chunk--02", 22, steady},
			{"browser-rejection--03", 12, burst(11.4)},
			{"browser-dom-exception--02", 5, since(10.5)},
			{"browser-script-error--03", 14, steady},
		}},
		{"Checkout API", "node", "Payments", []string{"checkout@2.8.0", "checkout@2.9.0", "checkout@3.0.0"}, []plot{
			{"node-attachments--02", 26, since(9.4)},
			{"node-extra-error-data--02", 35, steady},
			{"node-http-breadcrumbs--03", 20, burst(6.2)},
			{"node-grouping-same-stack--02", 9, growing},
			{"node-system-error--02", 6, until(7)},
			{"node-message-params--02", 16, steady},
		}},
		{"Billing", "python", "Payments", []string{"billing@1.14.0", "billing@1.15.0", "billing@1.16.0"}, []plot{
			{"py1-asyncio", 24, steady},
			{"py1-attachments", 18, growing},
			{"py1-locals", 10, burst(12.6)},
			{"py1-implicit", 5, steady},
			{"py1-logging--01", 8, steady},
		}},
		{"Orders", "java", "Payments", []string{"orders@7.0.2", "orders@7.1.0"}, []plot{
			{"java-attachments", 15, steady},
			{"java-handled", 28, since(7)},
			{"java-suppressed", 4, steady},
			{"java-stackoverflow", 6, since(12)},
		}},
		{"Ledger worker", "go", "Payments", []string{"worker@2.2.0", "worker@2.3.0", "worker@2.4.0"}, []plot{
			{"go-wrapped-custom", 20, steady},
			{"go-joined", 11, burst(4.5)},
			{"go-panic-goroutine", 4, since(11)},
			{"go-path-error", 7, except(7.5, 12.2)},
			{"go-message", 6, steady},
		}},
		{"Back office", "ruby", "Storefront", []string{"office@88", "office@89", "office@90"}, []plot{
			{"rb5-nomethod", 8, until(5)},
			{"rb5-handled", 12, steady},
			{"raven-ruby-json", 9, steady},
		}},
	}
}

// scene is what somebody does with an issue.
type scene struct {
	day      float64
	recorded string // names the issue
	who      string // by mail address
	act      func(tx *store.Tx, issue, who int64, w *world) error
}

func scenes() []scene {
	return []scene{
		{2.4, "py1-asyncio", "ben@example.com", says("The table of rates is empty for an hour after midnight. I have asked who fills it.")},
		{2.5, "py1-asyncio", "ben@example.com", assigns("ben@example.com")},
		{5.1, "rb5-nomethod", "david@example.com", resolves(triage.Resolution{Kind: triage.ResolvedNow})},
		{6.3, "node-http-breadcrumbs--03", "ada@example.com", says("The bank's gateway was down from 04:10 to 06:40.\n\n- nothing to be done here\n- **retry** is in the next release")},
		{6.6, "node-message-params--02", "ada@example.com", mutes(triage.Mute{Kind: triage.MuteWorse})},
		{6.9, "browser-script-error--03", "chloe@example.com", mutes(triage.Mute{Kind: triage.MuteForever})},
		{7.1, "node-system-error--02", "ben@example.com", resolves(triage.Resolution{Kind: triage.ResolvedNext})},
		{7.6, "go-path-error", "ada@example.com", resolves(triage.Resolution{Kind: triage.ResolvedIn, Release: "worker@2.3.0"})},
		{8.2, "rb5-handled", "david@example.com", merges("raven-ruby-json")},
		{9.8, "node-attachments--02", "ada@example.com", assigns("ben@example.com")},
		{9.9, "node-attachments--02", "ben@example.com", says("Came with 3.0.0: amounts without a currency.")},
		{11.5, "browser-rejection--03", "chloe@example.com", assigns("chloe@example.com")},
		{13.3, "go-path-error", "ada@example.com", says("It is back. The file is written only after the first run.")},
		{13.1, "java-stackoverflow", "ada@example.com", assigns("ada@example.com")},
	}
}

func says(text string) func(*store.Tx, int64, int64, *world) error {
	return func(tx *store.Tx, issue, who int64, _ *world) error {
		_, err := tx.Comment(issue, text, who)
		return err
	}
}

func resolves(how triage.Resolution) func(*store.Tx, int64, int64, *world) error {
	return func(tx *store.Tx, issue, who int64, _ *world) error {
		_, err := tx.Resolve([]int64{issue}, how, who)
		return err
	}
}

func mutes(how triage.Mute) func(*store.Tx, int64, int64, *world) error {
	return func(tx *store.Tx, issue, who int64, _ *world) error {
		_, err := tx.Mute([]int64{issue}, how, who)
		return err
	}
}

func assigns(to string) func(*store.Tx, int64, int64, *world) error {
	return func(tx *store.Tx, issue, who int64, w *world) error {
		_, err := tx.Assign([]int64{issue}, store.Assignee{User: w.users[to]}, who)
		return err
	}
}

func merges(member string) func(*store.Tx, int64, int64, *world) error {
	return func(tx *store.Tx, issue, who int64, w *world) error {
		_, err := tx.Merge(issue, []int64{w.issues[member]}, who)
		return err
	}
}

// at is a moment of the script.
func at(began time.Time, day float64) time.Time {
	return began.Add(time.Duration((day - days) * float64(24*time.Hour)))
}
