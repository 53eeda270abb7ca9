package eventtest

import "strings"

// painted is a frame with source code that has colours, and an attack in each.
const painted = `{"function":X,"filename":"a.py","lineno":7,"in_app":true,"pre_context":["x = '",X,"'''",X,"'''","# "],"context_line":X,"post_context":["if None:",X]}`

// Hostile returns an event with an attack in every field: the text, or a javascript:
// address.
func Hostile(text string) []byte {
	frame := `{"function":X,"raw_function":X,"module":X,"package":X,"filename":X,"abs_path":X,"lineno":7,"colno":1,"in_app":true,
		"pre_context":[X,X],"context_line":X,"post_context":[X],"vars":{X:X,"list":[X,{X:X}]},"instruction_addr":X}`
	stack := `{"frames":[` + frame + `,` + frame + `]}`
	library := `{"function":X,"module":X,"package":X,"abs_path":"/site-packages/"},{"function":X,"module":X,"filename":X}`
	libraries := `{"frames":[` + library + `,` + library + `,` + painted + `]}`
	doc := `{"platform":X,"level":X,"logger":X,"transaction":X,"server_name":X,"release":X,"dist":X,"environment":X,"culprit":X,
		"logentry":{"message":X,"formatted":X,"params":[X]},
		"exception":{"values":[{"type":X,"value":X,"module":X,"thread_id":X,"stacktrace":` + stack + `,
			"mechanism":{"type":X,"description":X,"help_link":X,"handled":false,"source":X,"data":{X:X}}},
			{"type":X,"value":X,"mechanism":{"type":"chained","source":X,"exception_id":2,"parent_id":1},"stacktrace":` + libraries + `},
			{"type":X,"value":X,"mechanism":{"type":"chained","source":"errors[0]","exception_id":1,"parent_id":0}},
			{"type":X,"value":X,"mechanism":{"type":"generic","help_link":"javascript:alert(1)","exception_id":0,"is_exception_group":true},"stacktrace":` + stack + `}]},
		"threads":{"values":[{"id":X,"name":X,"state":X,"crashed":true,"stacktrace":` + stack + `},{"id":2,"name":X}]},
		"template":` + frame + `,
		"fingerprint":["{{ default }}",X],
		"tags":{X:X,"url":"javascript:alert(1)"},
		"user":{"id":X,"email":X,"username":X,"name":X,"ip_address":X,X:X},
		"request":{"url":U,"method":X,"query_string":{X:X},"fragment":X,"headers":{X:X,"User-Agent":X},"cookies":{X:X},"env":{X:X},"data":{X:X}},
		"contexts":{X:{X:X,"type":X},"browser":{"name":X,"version":X},"os":{"name":X,"version":X}},
		"breadcrumbs":{"values":[{"timestamp":1700000000,"type":X,"category":X,"level":"error","message":X,"data":{X:X}},{"category":"other","message":X}]},
		"extra":{X:X,"deep":{"a":[[X]]}},"modules":{X:X},"sdk":{"name":X,"version":X},
		"debug_meta":{"images":[{"type":X,"code_file":X,"debug_id":X,"image_addr":X}]}}`
	doc = strings.ReplaceAll(doc, "U,", `"javascript:alert(document.domain)//",`)
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
	return []byte(strings.ReplaceAll(doc, "X", `"`+quoted+`"`))
}
