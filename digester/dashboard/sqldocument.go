package dashboard

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"strings"

	"sundew/digester/store/sandbox"
)

// sqlDocument makes a file of an answer, called like its query: as is "csv" or "json". The
// error is errForm.
func sqlDocument(answer sandbox.Answer, as, name string) (*document, error) {
	name = cmp.Or(strings.Trim(strings.NewReplacer("/", "-", `\`, "-").Replace(name), " ."), "query")
	switch as {
	case "csv":
		body, err := sqlCSV(answer)
		return &document{contentType: "text/csv; charset=utf-8", filename: fileName(name + ".csv"), body: body, download: true}, err
	case "json":
		body, err := sqlJSON(answer)
		return &document{contentType: "application/json", filename: fileName(name + ".json"), body: body, download: true}, err
	}
	return nil, errForm
}

// sqlCSV has NULL as an empty field. Much of what it has comes from strangers, and
// spreadsheets run what begins like a formula: an apostrophe before it makes it a text.
func sqlCSV(answer sandbox.Answer) ([]byte, error) {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	record := make([]string, len(answer.Columns))
	for i, c := range answer.Columns {
		record[i] = harmless(c.Name)
	}
	if err := w.Write(record); err != nil {
		return nil, err
	}
	for _, row := range answer.Rows {
		for i, value := range row {
			record[i] = sqlText(value)
			if _, isText := value.(string); isText {
				record[i] = harmless(record[i])
			}
		}
		if err := w.Write(record); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return buf.Bytes(), w.Error()
}

func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// sqlJSON has the shape of the endpoint's answer, so that a program reads either.
func sqlJSON(answer sandbox.Answer) ([]byte, error) {
	type column struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	out := struct {
		Columns   []column `json:"columns"`
		Rows      [][]any  `json:"rows"`
		Truncated bool     `json:"truncated"`
		ElapsedMS int64    `json:"elapsed_ms"`
	}{Columns: []column{}, Rows: answer.Plain(), Truncated: answer.Cut, ElapsedMS: answer.Took.Milliseconds()}
	for _, c := range answer.Columns {
		out.Columns = append(out.Columns, column{c.Name, string(c.Type)})
	}
	return json.Marshal(out)
}
