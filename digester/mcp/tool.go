package mcp

import (
	"context"
	"errors"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sundew/digester/api"
)

// said is what a tool answers: Markdown.
type said = string

// hints say what a tool does to what there is.
type hints int

const (
	reads hints = iota
	changes
	adds
)

// add makes a tool of a function. Its input's fields have their descriptions in the tag
// jsonschema.
func add[In any](s *Server, name, title, text string, does hints, run func(ctx context.Context, c *api.Caller, in In) (said, error)) {
	no := false
	// Nothing that these tools do is lost: each can be taken back by another.
	notes := &mcp.ToolAnnotations{Title: title, ReadOnlyHint: does == reads, DestructiveHint: &no, IdempotentHint: does != adds, OpenWorldHint: &no}
	mcp.AddTool(s.server, &mcp.Tool{Name: name, Title: title, Description: text, Annotations: notes},
		func(ctx context.Context, r *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
			header := http.Header{}
			if r.Extra != nil && r.Extra.Header != nil {
				header = r.Extra.Header
			}
			text, err := run(ctx, s.cfg.API.Caller(header, header.Get(addressHeader)).Admitted(), in)
			if err != nil {
				return nil, nil, s.told(name, err)
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
		})
}

// told is what an agent is told of an error.
func (s *Server) told(tool string, err error) error {
	status, words := api.Explain(err)
	if status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		s.cfg.Log.Error().Err(err).Str("tool", tool).Msg("a tool failed")
	}
	return errors.New(words)
}
