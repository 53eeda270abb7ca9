package infra_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// statements returns the IAM statements of a role, those under a condition too.
func statements(role *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	walk(at(role, "Policies"), "", func(_ string, n *yaml.Node) {
		if at(n, "Effect") != nil {
			all = append(all, n)
		}
	})
	return all
}

// everyResource is why an action may be allowed on "*".
var everyResource = map[string]string{
	"cloudwatch:PutMetricData": "knows no resources; a condition bounds the namespace",
}

// TestPermissions: no role may do everything to something, nor something to
// everything, and the function may do four things.
func TestPermissions(t *testing.T) {
	for _, path := range templates {
		tp := readTemplate(t, path)
		for name, role := range tp.resources("AWS::IAM::Role") {
			for _, s := range statements(role) {
				actions := texts(at(s, "Action"))
				for _, a := range actions {
					if strings.Contains(a, "*") || !strings.Contains(a, ":") {
						t.Errorf("%s:%d: %s allows %q", path, s.Line, name, a)
					}
				}
				excused := !slices.ContainsFunc(actions, func(a string) bool { return everyResource[a] == "" }) && at(s, "Condition") != nil
				if resources := at(s, "Resource"); resources == nil || slices.Contains(texts(resources), "*") && !excused {
					t.Errorf("%s:%d: %s allows %v on everything", path, s.Line, name, actions)
				}
			}
		}
	}
	var edge []string
	for _, s := range statements(at(readTemplate(t, templates[0]).root, "Resources", "IngestRole", "Properties")) {
		for _, a := range texts(at(s, "Action")) {
			edge = append(edge, a+" "+text(at(s, "Resource")))
		}
	}
	want := []string{
		"sqs:SendMessage Events.Arn",
		"s3:PutObject ${Bucket.Arn}/claims/*",
		"s3:GetObject ${Bucket.Arn}/keys/*",
		"logs:CreateLogStream IngestLog.Arn",
		"logs:PutLogEvents IngestLog.Arn",
		"kms:GenerateDataKey KmsKeyArn",
		"kms:Decrypt KmsKeyArn",
	}
	if diff := cmp.Diff(want, edge); diff != "" {
		t.Errorf("what the function may do changed (-want +got):\n%s", diff)
	}
}

// TestAlarmsWatch: every queue and every function is watched, and every alarm tells
// somebody, and again when it is over.
func TestAlarmsWatch(t *testing.T) {
	watched := map[string]bool{} // by metric and resource
	for _, path := range templates {
		for name, alarm := range readTemplate(t, path).resources("AWS::CloudWatch::Alarm") {
			for _, key := range []string{"AlarmActions", "OKActions"} {
				if !slices.Equal(texts(at(alarm, key)), []string{"Alarms"}) {
					t.Errorf("%s: %s has no %s", path, name, key)
				}
			}
			if text(at(alarm, "AlarmDescription")) == "" {
				t.Errorf("%s: %s does not say what to do", path, name)
			}
			for _, d := range at(alarm, "Dimensions").Content {
				of, _, _ := strings.Cut(text(at(d, "Value")), ".")
				watched[text(at(alarm, "MetricName"))+" "+of] = true
			}
		}
	}
	tp := readTemplate(t, templates[0])
	for name, queue := range tp.resources("AWS::SQS::Queue") {
		metric := "ApproximateNumberOfMessagesVisible"
		if at(queue, "RedrivePolicy") != nil {
			metric = "ApproximateAgeOfOldestMessage"
		}
		if !watched[metric+" "+name] {
			t.Errorf("no alarm of %s for the queue %s", metric, name)
		}
	}
	for name := range tp.resources("AWS::Serverless::Function") {
		for _, metric := range []string{"Errors", "Throttles", "Url5xxCount"} {
			if !watched[metric+" "+name] {
				t.Errorf("no alarm of %s for the function %s", metric, name)
			}
		}
	}
}

const day = 24 * 60 * 60

// TestNothingExpiresEarly: what was accepted is kept for as long as the digester may
// be away, wherever it lies, and outlives the stack.
func TestNothingExpiresEarly(t *testing.T) {
	tp := readTemplate(t, templates[0])
	sources := 0
	retention := map[string]int{}
	for name, queue := range tp.resources("AWS::SQS::Queue") {
		retention[name] = number(t, at(queue, "MessageRetentionPeriod"))
		if got := number(t, at(queue, "MaximumMessageSize")); got != 1<<20 {
			t.Errorf("%s takes messages of %d bytes, the edge sends up to 1 MiB", name, got)
		}
		if at(queue, "FifoQueue") != nil {
			t.Errorf("%s is FIFO: locks and limits for an order that nobody needs", name)
		}
	}
	for name, queue := range tp.resources("AWS::SQS::Queue") {
		redrive := at(queue, "RedrivePolicy")
		if redrive == nil {
			continue
		}
		sources++
		dead := strings.TrimSuffix(text(at(redrive, "deadLetterTargetArn")), ".Arn")
		// A message that moves keeps its age.
		if retention[name] != 14*day || retention[dead] < retention[name] {
			t.Errorf("%s keeps for %d s, its dead letters %s for %d s", name, retention[name], dead, retention[dead])
		}
		if n := number(t, at(redrive, "maxReceiveCount")); n < 5 {
			t.Errorf("%s gives up after %d receives; a broken connection costs one", name, n)
		}
		claims := number(t, claimsRule(t, tp))
		if claims*day <= retention[name] {
			t.Errorf("claims expire after %d days, their messages after %d s", claims, retention[name])
		}
	}
	if sources != 1 {
		t.Errorf("%d queues have dead letters, want 1", sources)
	}
	for name, r := range fields(at(tp.root, "Resources")) {
		switch text(at(r, "Type")) {
		case "AWS::SQS::Queue", "AWS::S3::Bucket":
			if at(r, "DeletionPolicy") == nil || text(at(r, "UpdateReplacePolicy")) != "Retain" {
				t.Errorf("%s goes with the stack", name)
			}
		}
	}
	volume := at(readTemplate(t, "host.yaml").root, "Resources", "Volume")
	if text(at(volume, "DeletionPolicy")) != "Snapshot" || text(at(volume, "UpdateReplacePolicy")) != "Snapshot" {
		t.Error("the database's volume can go without a snapshot")
	}
}

// claimsRule returns the number of days of the one rule that deletes objects.
func claimsRule(t *testing.T, tp template) (days *yaml.Node) {
	t.Helper()
	for _, rule := range at(tp.root, "Resources", "Bucket", "Properties", "LifecycleConfiguration", "Rules").Content {
		d := at(rule, "ExpirationInDays")
		if d == nil {
			continue
		}
		if prefix := text(at(rule, "Prefix")); prefix != "claims/" || days != nil {
			t.Fatalf("a rule deletes %q; only claims may be deleted", prefix)
		}
		days = d
	}
	return days
}

// TestFunction: what the function's front doors demand of it.
func TestFunction(t *testing.T) {
	tp := readTemplate(t, templates[0])
	f := at(tp.root, "Resources", "Ingest", "Properties")
	if s := number(t, at(f, "Timeout")); s >= 30 {
		t.Errorf("the function may take %d s, an HTTP API waits 30", s)
	}
	if at(f, "FunctionUrlConfig", "Cors") != nil {
		t.Error("CORS is answered twice: by the URL and by the handler")
	}
	if text(at(f, "FunctionUrlConfig", "AuthType")) != "NONE" {
		t.Error("SDKs cannot sign requests")
	}
	if text(at(f, "LoggingConfig", "LogFormat")) != "JSON" {
		t.Error("levels need the JSON format")
	}
	for _, value := range texts(at(tp.root, "Parameters", "MaxEventBytes", "MaxValue")) {
		var n int
		if _, err := fmt.Sscan(value, &n); err != nil || n > 4_500_000 {
			t.Errorf("MaxEventBytes may be %s, more than reaches a function", value)
		}
	}
	for _, bucketOrQueue := range []string{"BucketPolicy", "QueuePolicy"} {
		condition := at(tp.root, "Resources", bucketOrQueue, "Properties", "PolicyDocument", "Statement").Content[0]
		if text(at(condition, "Effect")) != "Deny" || text(at(condition, "Condition", "Bool", "aws:SecureTransport")) != "false" {
			t.Errorf("%s does not insist on TLS", bucketOrQueue)
		}
	}
}

// TestDashboard: nobody sees the dashboard by default, and it may do nothing but log.
func TestDashboard(t *testing.T) {
	tp := readTemplate(t, templates[0])
	if auth := at(tp.root, "Parameters", "DashboardAuthType"); text(at(auth, "Default")) != "AWS_IAM" || !strings.Contains(text(at(auth, "Description")), "everybody on the internet") {
		t.Error("the dashboard is open, or does not say what opening it means")
	}
	if text(at(tp.root, "Resources", "Dashboard", "Properties", "FunctionUrlConfig", "AuthType")) != "DashboardAuthType" {
		t.Error("who may see the dashboard is not a parameter")
	}
	for name, p := range tp.resources("AWS::Lambda::Permission") {
		if text(at(p, "FunctionName")) == "Dashboard" && text(at(tp.root, "Resources", name, "Condition")) != "HasOpenDashboard" {
			t.Errorf("%s opens the dashboard to everybody", name)
		}
	}
	for _, s := range statements(at(tp.root, "Resources", "DashboardRole", "Properties")) {
		for _, a := range texts(at(s, "Action")) {
			if !strings.HasPrefix(a, "logs:") {
				t.Errorf("the dashboard may %s", a)
			}
		}
	}
	for name, r := range fields(at(tp.root, "Resources")) {
		if strings.HasPrefix(name, "Dashboard") && text(at(r, "Condition")) == "" {
			t.Errorf("%s is there without being asked for", name)
		}
	}
}

// TestNamesMeet: the host finds queues and buckets by the names that the edge's
// stacks give them, in the regions that samconfig.toml deploys.
func TestNamesMeet(t *testing.T) {
	tp, host := readTemplate(t, templates[0]), string(readFile(t, "host.yaml"))
	for name, queue := range tp.resources("AWS::SQS::Queue") {
		called := strings.Replace(text(at(queue, "QueueName")), "${AWS::StackName}", "${EdgeStack}", 1)
		if called == "" || !strings.Contains(host, ":${AWS::AccountId}:"+called+`"`) {
			t.Errorf("the host may not use the queue %s, %q", name, called)
		}
	}
	events := strings.Replace(text(at(tp.root, "Resources", "Events", "Properties", "QueueName")), "AWS::StackName", "EdgeStack", 1)
	bucket := strings.NewReplacer("AWS::StackName", "EdgeStack", "${AWS::Region}", "$region").
		Replace(text(at(tp.root, "Resources", "Bucket", "Properties", "BucketName")))
	for _, want := range []string{"/${AWS::AccountId}/" + events + "\n", "$region=" + bucket + "\n"} {
		if !strings.Contains(host, want) {
			t.Errorf("the host does not name %q", want)
		}
	}

	var params struct {
		EdgeStack string   `yaml:"EdgeStack"`
		Regions   []string `yaml:"Regions"`
	}
	if err := yaml.Unmarshal(readFile(t, "host/parameters.yaml"), &params); err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?m)^\[([a-z0-9-]+)\.deploy\.parameters\]\nregion = "([a-z0-9-]+)"\nstack_name = "([a-z-]+)"`)
	var regions []string
	for _, m := range section.FindAllStringSubmatch(string(readFile(t, "../samconfig.toml")), -1) {
		if m[1] == "host" {
			continue
		}
		regions = append(regions, m[2])
		if m[1] != m[2] || m[3] != params.EdgeStack {
			t.Errorf("section %s deploys %s to %s, the host expects %s", m[1], m[3], m[2], params.EdgeStack)
		}
	}
	if diff := cmp.Diff(regions, params.Regions); diff != "" {
		t.Errorf("-deployed by samconfig.toml +digested by the host\n%s", diff)
	}
}
