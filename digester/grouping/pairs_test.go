package grouping_test

import (
	"fmt"
	"strings"
	"testing"

	"sundew/digester/grouping"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

// capturedPairs are judgements about recorded events: is it the same problem? They
// are the documentation of the rules by example.
var capturedPairs = []struct {
	a, b string
	same bool
	why  string
}{
	{"node-grouping-same-stack--02", "node-grouping-same-stack--04", true, "only the user's number differs"},
	{"java-grouping--01", "java-grouping--03", true, "only the value that failed differs"},
	{"go-grouping--01", "go-grouping--03", true, "only the value that failed differs, four causes deep"},
	{"py1-handled", "py2-handled", true, "two versions of the SDK"},
	{"py2-handled", "py2gzip-handled", true, "two ways of sending"},
	{"py1-flask--01", "py2-flask--03", true, "two requests to one route, two versions of the SDK"},
	{"py1-django", "py2-django", true, "two versions of the SDK"},
	{"py1-chained", "py2-chained", true, "a chain of causes, two versions of the SDK"},
	{"rb5-cause", "rb6-cause", true, "two versions of the SDK"},
	{"node-v6-unhandled--02", "node-v10-unhandled--02", true, "five versions of the SDK apart"},
	{"node-v5-cause", "node-v10-cause--02", true, "with the cause in the chain or not yet"},
	{"node-v5-message", "node-v9-message--02", true, "a message, four versions of the SDK apart"},
	{"browser-v5-message", "browser-v10-message--02", true, "a message, five versions of the SDK apart"},
	{"php-previous", "php-nocompress", true, "two ways of sending"},
	{"node-express-errors--01", "node-express-tracing--01", true, "one route, with tracing and without"},
	{"browser-onerror--02", "browser-render--03", true, "the same line fails in a handler and while rendering, in one bundle"},
	{"rl-node-413--01", "rl-node-drop--06", true, "numbered events of two runs"},
	{"raven-ruby-error", "raven-ruby-json", true, "two ways of sending"},

	{"node-express-errors--01", "node-express-errors--02", false, "two routes"},
	{"py1-handled", "py1-implicit", false, "two keys missing in two places"},
	{"py1-handled", "py1-thread", false, "one function, called by two ways"},
	{"go-wrapped", "go-wrapped-custom", false, "two failures of one function, the messages differ"},
	{"go-error", "go-large", false, "two errors of one type in closures of one function"},
	{"go-panic-index", "go-panic-nil", false, "two panics"},
	{"php-warning--01", "php-warning--02", false, "two warnings in one closure"},
	{"java-grouping--01", "java-suppressed", false, "two exceptions"},
	{"java-chained", "java-scope", false, "the second has a fingerprint of its own"},
	{"browser-rejection-nonerror--03", "browser-rejection-nonerror--04", false, "two values that are no errors"},
	{"browser-csp--01", "browser-csp--02", false, "two directives"},
	{"browser-csp--02", "browser-csp--03", false, "inline, and from a host"},
	{"native-abort-native", "native-crash-native-minidump--02", false, "two crashes"},
	{"node-message-levels--06", "node-message-levels--07", false, "two messages"},
}

func TestCapturedPairs(t *testing.T) {
	payloads := eventtest.Captured(t)
	for _, p := range capturedPairs {
		judge(t, p.a+" and "+p.b+": "+p.why, p.same, eventtest.MustParse(t, payloads, p.a), eventtest.MustParse(t, payloads, p.b))
	}
}

// judge fails if a and b are not grouped as they should be.
func judge(t *testing.T, name string, same bool, a, b *event.Event) {
	t.Helper()
	ra, rb := grouping.Group(a), grouping.Group(b)
	if (ra.Key == rb.Key) != same {
		t.Errorf("%s: same is %v, want %v\n%q\n%q", name, ra.Key == rb.Key, same, ra.Parts, rb.Parts)
	}
}

// thrown makes an event of a platform, "Type: value" and frames from the outside
// in, each "module|function" or "/file|function".
func thrown(t *testing.T, platform, exception string, frames ...string) *event.Event {
	t.Helper()
	kind, value, _ := strings.Cut(exception, ": ")
	var list []string
	for i, f := range frames {
		where, function, _ := strings.Cut(f, "|")
		key := "module"
		if strings.ContainsAny(where, `/\<`) {
			key = "filename"
		}
		list = append(list, fmt.Sprintf(`{%q:%q,"function":%q,"lineno":%d,"in_app":true}`, key, where, function, len(exception)+i))
	}
	return parsed(t, fmt.Sprintf(`{"platform":%q,"exception":[{"type":%q,"value":%q,"stacktrace":{"frames":[%s]}}]}`,
		platform, kind, value, strings.Join(list, ",")))
}

func parsed(t *testing.T, payload string) *event.Event {
	t.Helper()
	e, err := event.Skim([]byte(payload))
	if err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	return e
}

func TestThrownPairs(t *testing.T) {
	type stack []string
	tests := []struct {
		platform, why string
		same          bool
		a, b          string // "Type: value"
		at, bt        stack
	}{
		{"python", "two deploy directories", true, "E: x", "E: x", stack{"/srv/shop/releases/20260101120000/app/cart.py|add"}, stack{"/srv/shop/releases/20260214093000/app/cart.py|add"}},
		{"python", "two hosts, one from a container", true, "E: x", "E: x", stack{"/home/ada/src/shop/cart.py|add"}, stack{"/app/shop/cart.py|add"}},
		{"python", "two commits", true, "E: x", "E: x", stack{"/srv/3f2a1b9/cart.py|add"}, stack{"/srv/9c0d2e1f/cart.py|add"}},
		{"python", "Windows and Linux", true, "E: x", "E: x", stack{`C:\shop\cart.py|add`}, stack{"/srv/shop/cart.py|add"}},
		{"python", "two files", false, "E: x", "E: x", stack{"/srv/shop/cart.py|add"}, stack{"/srv/shop/order.py|add"}},
		{"python", "two functions", false, "E: x", "E: x", stack{"shop|add"}, stack{"shop|remove"}},
		{"python", "two types", false, "E: x", "F: x", stack{"shop|add"}, stack{"shop|add"}},
		{"python", "two messages of one named function", true, "E: x", "E: y", stack{"shop|add"}, stack{"shop|add"}},
		{"python", "two messages of a module's top level", false, "E: x", "E: y", stack{"shop|<module>"}, stack{"shop|<module>"}},
		{"python", "two messages without frames", false, "E: x", "E: y", nil, nil},
		{"python", "two numbers without frames", true, "E: order 17", "E: order 4711", nil, nil},
		{"python", "how deep a recursion went", true, "E: x", "E: x", stack{"shop|walk", "shop|visit", "shop|fail"}, stack{"shop|walk", "shop|visit", "shop|walk", "shop|visit", "shop|walk", "shop|visit", "shop|fail"}},
		{"python", "where in an endless cycle it ended", true, "E: x", "E: x",
			append(stack{"shop|run"}, strings.Split(strings.Repeat("shop|walk,shop|visit,", 30)+"shop|walk", ",")...),
			append(stack{"shop|run"}, strings.Split(strings.Repeat("shop|walk,shop|visit,", 30)+"shop|walk,shop|visit", ",")...)},
		{"javascript", "two builds of a bundle: hash and minified names", true, "TypeError: a is null", "TypeError: a is null", stack{"https://a.example.com/assets/app-2Y6DPYNI.js?v=1|kU", "https://a.example.com/assets/app-2Y6DPYNI.js|t"}, stack{"https://b.example.com/assets/app-GYCTDB27.js|xE", "https://b.example.com/assets/app-GYCTDB27.js|n"}},
		{"javascript", "two failures of one minified bundle", false, "TypeError: a is null", "TypeError: b is null", stack{"https://a.example.com/assets/app-2Y6DPYNI.js|t"}, stack{"https://a.example.com/assets/app-2Y6DPYNI.js|t"}},
		{"javascript", "Vite's hashes may hold a dash", true, "E: x", "E: x", stack{"https://a.example.com/assets/index-Dk-x1_fz.js|load"}, stack{"https://a.example.com/assets/index-B3kLm9Qa.js|load"}},
		{"javascript", "webpack's chunk numbers", true, "E: x", "E: x", stack{"https://a.example.com/static/js/123.4f5e6d7c.chunk.js|load"}, stack{"https://a.example.com/static/js/87.aa00bb11.chunk.js|load"}},
		{"javascript", "Chrome and Firefox", true, "E: x", "E: x", stack{"https://a.example.com/app.js|Object.load"}, stack{"https://a.example.com/app.js|load"}},
		{"javascript", "ways to say it has no name", true, "E: x", "E: x", stack{"https://a.example.com/app.js|?"}, stack{"https://a.example.com/app.js|HTMLButtonElement.<anonymous>"}},
		{"javascript", "a script in two pages of one kind", true, "E: x", "E: x", stack{"https://a.example.com/orders/17|pay"}, stack{"https://a.example.com/orders/18|pay"}},
		{"javascript", "two files of one site", false, "E: x", "E: x", stack{"https://a.example.com/cart.js|load"}, stack{"https://a.example.com/user.js|load"}},
		{"node", "the extension old versions leave on", true, "E: x", "E: x", stack{"app.cjs|load"}, stack{"app|load"}},
		{"java", "lambdas are counted", true, "E: x", "E: x", stack{"com.example.Main|lambda$main$36", "com.example.Cart|add"}, stack{"com.example.Main|lambda$main$7", "com.example.Cart|add"}},
		{"java", "proxies are generated", true, "E: x", "E: x", stack{"com.example.Cart$$EnhancerBySpringCGLIB$$a1b2c3|add"}, stack{"com.example.Cart$$EnhancerBySpringCGLIB$$77ffee|add"}},
		{"java", "accessors are generated", true, "E: x", "E: x", stack{"com.example.GeneratedMethodAccessor12|invoke"}, stack{"com.example.GeneratedMethodAccessor7|invoke"}},
		{"java", "anonymous classes are counted", true, "E: x", "E: x", stack{"com.example.Cart$1|add"}, stack{"com.example.Cart$2|add"}},
		{"java", "named inner classes are not", false, "E: x", "E: x", stack{"com.example.Cart$Line|add"}, stack{"com.example.Cart$Total|add"}},
		{"go", "closures are counted", true, "main.E: x", "main.E: x", stack{"main|main", "example.com/shop|(*Cart).Add.func1"}, stack{"main|main", "example.com/shop|(*Cart).Add.func2.1"}},
		{"go", "one place reports all errors", false, "*fmt.wrapError: load cart: no rows", "*fmt.wrapError: send mail: refused", stack{"example.com/shop|(*Server).fail"}, stack{"example.com/shop|(*Server).fail"}},
		{"php", "closures carry their line", true, "E: x", "E: x", stack{"/srv/shop/cart.php|{closure:Shop\\Cart::add():12}"}, stack{"/srv/shop/cart.php|{closure:Shop\\Cart::add():14}"}},
		{"ruby", "blocks are counted, classes named by newer versions", true, "E: x", "E: x", stack{"/srv/shop/cart.rb|block (2 levels) in add"}, stack{"/srv/shop/cart.rb|Cart#add"}},
		{"csharp", "async methods", true, "E: x", "E: x", stack{"Shop.Cart+<Add>d__3|MoveNext"}, stack{"Shop.Cart+<Add>d__7|MoveNext"}},
		{"native", "clones and Rust's hashes", true, "E: x", "E: x", stack{"/src/cart.rs|cart::add::h0123456789abcdef"}, stack{"/src/cart.rs|cart::add::hfedcba9876543210"}},
	}
	for _, tt := range tests {
		judge(t, tt.platform+", "+tt.why, tt.same, thrown(t, tt.platform, tt.a, tt.at...), thrown(t, tt.platform, tt.b, tt.bt...))
	}
}

func TestPayloadPairs(t *testing.T) {
	const frames = `"stacktrace":{"frames":[{"module":"shop","function":"add","in_app":true}]}`
	tests := []struct {
		why  string
		same bool
		a, b string
	}{
		{"level, transaction, release, user do not count", true, `{"message":"x","level":"info"}`, `{"message":"x","level":"fatal","transaction":"t","release":"r","user":{"id":1}}`},
		{"the template counts, not its parameters", true, `{"logentry":{"message":"a %s","params":["b"]}}`, `{"logentry":{"message":"a %s","params":["c"]}}`},
		{"a fingerprint wins", true, `{"message":"x","fingerprint":["a",1,true]}`, `{"message":"y","fingerprint":["a","1","True"]}`},
		{"parts of a fingerprint are not joined", false, `{"message":"x","fingerprint":["ab","c"]}`, `{"message":"x","fingerprint":["a","bc"]}`},
		{"{{ default }} alone changes nothing", true, `{"message":"x"}`, `{"message":"x","fingerprint":["{{ default }}"]}`},
		{"{{default}} without spaces", true, `{"message":"x","fingerprint":["{{default}}","a"]}`, `{"message":"x","fingerprint":["{{ default }}","a"]}`},
		{"{{ default }} and more", false, `{"message":"x"}`, `{"message":"x","fingerprint":["{{ default }}","a"]}`},
		{"{{ default }} stands for something", false, `{"message":"x","fingerprint":["{{ default }}","a"]}`, `{"message":"y","fingerprint":["{{ default }}","a"]}`},
		{"a checksum is a fingerprint", true, `{"message":"x","checksum":"c"}`, `{"message":"y","checksum":"c"}`},
		{"a message with the stack of its call", true, `{"platform":"javascript","message":"x"}`, `{"platform":"javascript","message":"x","exception":[{"value":"x","mechanism":{"synthetic":true},` + frames + `}]}`},
		{"a message with an exception that has no type", true, `{"message":"x"}`, `{"message":"x","exception":[{"value":"y",` + frames + `}]}`},
		{"a message with its stack in threads", true, `{"message":"x"}`, `{"message":"x","threads":[{"current":true,` + frames + `}]}`},
		{"another cause", false, `{"exception":[{"type":"A"},{"type":"B",` + frames + `}]}`, `{"exception":[{"type":"C"},{"type":"B",` + frames + `}]}`},
		{"a group with more of the same in it", true, `{"exception":[{"type":"A"},{"type":"G","mechanism":{"is_exception_group":true},` + frames + `}]}`, `{"exception":[{"type":"A"},{"type":"A"},{"type":"A"},{"type":"G","mechanism":{"is_exception_group":true},` + frames + `}]}`},
		{"a group whose parents are a cycle", true, `{"exception":[{"type":"A","mechanism":{"exception_id":0,"parent_id":1}},{"type":"B","mechanism":{"exception_id":1,"parent_id":0},` + frames + `}]}`, `{"exception":[{"type":"A","mechanism":{"exception_id":7,"parent_id":7}},{"type":"B","mechanism":{"exception_id":7,"parent_id":7},` + frames + `}]}`},
		{"libraries between", true, `{"exception":[{"type":"A",` + frames + `}]}`, `{"exception":[{"type":"A","stacktrace":{"frames":[{"module":"shop","function":"add","in_app":true},{"module":"lib","function":"call","in_app":false},{"module":"flask","abs_path":"/usr/lib/python3/dist-packages/flask/app.py","function":"go","in_app":true}]}}]}`},
		{"native frames have addresses", true, `{"platform":"native","exception":[{"type":"S","stacktrace":{"frames":[{"instruction_addr":"0x1","package":"/opt/a/shop"}]}}]}`, `{"platform":"native","exception":[{"type":"S","stacktrace":{"frames":[{"instruction_addr":"0x2","package":"/srv/b/shop"}]}}]}`},
	}
	for _, tt := range tests {
		judge(t, tt.why, tt.same, parsed(t, tt.a), parsed(t, tt.b))
	}
}
