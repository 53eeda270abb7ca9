package dashboard

// setupGuide says how one platform's SDK is set up. Steps may hold {dsn}, {key}
// and {store}, the address for a bare event.
type setupGuide struct {
	key   string // in addresses
	name  string
	note  string
	steps []setupStep
}

// setupGuides returns the guides in the order of their tabs.
func setupGuides() []setupGuide {
	return []setupGuide{
		browserGuide(), nodeGuide(), pythonGuide(), goGuide(), javaGuide(),
		rubyGuide(), phpGuide(), dotnetGuide(), curlGuide(),
	}
}

func browserGuide() setupGuide {
	return setupGuide{
		key: "javascript", name: "JavaScript",
		note: "With React, Vue, Angular or Svelte install @sentry/react, @sentry/vue, @sentry/angular or @sentry/svelte instead. The options are the same.",
		steps: []setupStep{
			{Title: "Install the SDK", Code: `npm install @sentry/browser`},
			{Title: "Start it first in your application's entry file", File: "main.js", Code: `import * as Sentry from "@sentry/browser";

Sentry.init({
  dsn: "{dsn}",
  environment: "production",
  release: "my-app@1.0.0",
});`},
			{Title: "Send a test error", File: "main.js, below", Code: `setTimeout(() => {
  throw new Error("Test error from the browser");
});`},
		},
	}
}

func nodeGuide() setupGuide {
	return setupGuide{
		key: "node", name: "Node.js",
		note: "A CommonJS application begins with require(\"./instrument.js\") instead of the --import option.",
		steps: []setupStep{
			{Title: "Install the SDK", Code: `npm install @sentry/node`},
			{Title: "Start it in a file of its own", File: "instrument.mjs", Code: `import * as Sentry from "@sentry/node";

Sentry.init({
  dsn: "{dsn}",
  environment: "production",
  release: "my-app@1.0.0",
});`},
			{Title: "Load that file before your application", Code: `node --import ./instrument.mjs app.mjs`},
			{Title: "Send a test error", File: "app.mjs", Code: `setTimeout(() => {
  throw new Error("Test error from Node.js");
});`},
		},
	}
}

func pythonGuide() setupGuide {
	return setupGuide{
		key: "python", name: "Python",
		note: "Django, Flask, FastAPI, Celery and others are recognised without further options.",
		steps: []setupStep{
			{Title: "Install the SDK", Code: `pip install --upgrade sentry-sdk`},
			{Title: "Start it as early as possible", File: "main.py", Code: `import sentry_sdk

sentry_sdk.init(
    dsn="{dsn}",
    environment="production",
    release="my-app@1.0.0",
)`},
			{Title: "Send a test error", File: "main.py, below", Code: `raise RuntimeError("Test error from Python")`},
		},
	}
}

func goGuide() setupGuide {
	return setupGuide{
		key: "go", name: "Go",
		note: "For net/http there is github.com/getsentry/sentry-go/http; gin, echo, fiber and others have packages beside it.",
		steps: []setupStep{
			{Title: "Add the SDK", Code: `go get github.com/getsentry/sentry-go`},
			{Title: "Start it in main and send a test error", File: "main.go", Code: `package main

import (
	"errors"
	"log"
	"time"

	"github.com/getsentry/sentry-go"
)

func main() {
	err := sentry.Init(sentry.ClientOptions{
		Dsn:         "{dsn}",
		Environment: "production",
		Release:     "my-app@1.0.0",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sentry.Flush(2 * time.Second)

	sentry.CaptureException(errors.New("test error from Go"))
}`},
			{Title: "Run it", Code: `go run .`},
		},
	}
}

func javaGuide() setupGuide {
	return setupGuide{
		key: "java", name: "Java",
		note: "With Spring Boot use io.sentry:sentry-spring-boot-starter-jakarta and set sentry.dsn in application.properties.",
		steps: []setupStep{
			{Title: "Add the SDK", File: "build.gradle", Code: `dependencies {
    implementation 'io.sentry:sentry:8.53.0'
}`},
			{Title: "Start it in main and send a test error", File: "Main.java", Code: `import io.sentry.Sentry;

public class Main {
    public static void main(String[] args) {
        Sentry.init(options -> {
            options.setDsn("{dsn}");
            options.setEnvironment("production");
            options.setRelease("my-app@1.0.0");
        });

        try {
            throw new IllegalStateException("Test error from Java");
        } catch (IllegalStateException e) {
            Sentry.captureException(e);
        }
    }
}`},
		},
	}
}

func rubyGuide() setupGuide {
	return setupGuide{
		key: "ruby", name: "Ruby",
		note: "With Rails add sentry-rails too and put the second step into config/initializers/sentry.rb.",
		steps: []setupStep{
			{Title: "Add the SDK", Code: `bundle add sentry-ruby`},
			{Title: "Start it as early as possible", File: "app.rb", Code: `require "sentry-ruby"

Sentry.init do |config|
  config.dsn = "{dsn}"
  config.environment = "production"
  config.release = "my-app@1.0.0"
end`},
			{Title: "Send a test error", File: "app.rb, below", Code: `begin
  1 / 0
rescue ZeroDivisionError => e
  Sentry.capture_exception(e)
end`},
		},
	}
}

func phpGuide() setupGuide {
	return setupGuide{
		key: "php", name: "PHP",
		note: "With Laravel install sentry/sentry-laravel, with Symfony sentry/sentry-symfony.",
		steps: []setupStep{
			{Title: "Install the SDK", Code: `composer require sentry/sentry`},
			{Title: "Start it as early as possible", File: "index.php", Code: `<?php

require __DIR__ . '/vendor/autoload.php';

\Sentry\init([
    'dsn' => '{dsn}',
    'environment' => 'production',
    'release' => 'my-app@1.0.0',
]);`},
			{Title: "Send a test error", File: "index.php, below", Code: `throw new \RuntimeException('Test error from PHP');`},
		},
	}
}

func dotnetGuide() setupGuide {
	return setupGuide{
		key: "dotnet", name: ".NET",
		note: "With ASP.NET Core install Sentry.AspNetCore and call builder.WebHost.UseSentry with the same options.",
		steps: []setupStep{
			{Title: "Add the SDK", Code: `dotnet add package Sentry`},
			{Title: "Start it and send a test error", File: "Program.cs", Code: `using Sentry;

using var sentry = SentrySdk.Init(options =>
{
    options.Dsn = "{dsn}";
    options.Environment = "production";
    options.Release = "my-app@1.0.0";
});

try
{
    throw new InvalidOperationException("Test error from .NET");
}
catch (InvalidOperationException e)
{
    SentrySdk.CaptureException(e);
}`},
		},
	}
}

func curlGuide() setupGuide {
	return setupGuide{
		key: "curl", name: "curl",
		note: "The answer is the event's id. It is what the search at the top of each page finds.",
		steps: []setupStep{
			{Title: "Send a first event without any SDK", Code: `curl '{store}' \
  -H 'Content-Type: application/json' \
  -H 'X-Sentry-Auth: Sentry sentry_version=7, sentry_key={key}, sentry_client=curl/1.0' \
  -d '{
    "platform": "other",
    "level": "error",
    "environment": "production",
    "exception": {"values": [{"type": "TestError", "value": "Test error from curl"}]}
  }'`},
		},
	}
}
