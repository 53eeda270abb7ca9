package api

import (
	"errors"
	"slices"

	"sundew/digester/store"
	"sundew/digester/table"
)

// QueryCheck says of each part of a question whether it is understood.
type QueryCheck struct {
	Valid       bool               `json:"valid"`
	Projects    List[CheckedPart]  `json:"projects"`
	Dataset     List[CheckedPart]  `json:"dataset"`
	Environment List[CheckedPart]  `json:"environment"`
	Field       List[CheckedField] `json:"field"`
	Query       CheckedQuery       `json:"query"`
	OrderBy     List[CheckedField] `json:"orderby"`
}

// CheckedPart is a part of a question.
type CheckedPart struct {
	Name  string  `json:"name"`
	Valid bool    `json:"valid"`
	Error *string `json:"error"`
}

// CheckedField is a column, or one that is sorted by.
type CheckedField struct {
	CheckedPart
	AttrType *string `json:"attrType"` // string, number or boolean
}

// CheckedQuery is the query.
type CheckedQuery struct {
	Valid  bool               `json:"valid"`
	Error  *string            `json:"error"`
	Fields List[CheckedField] `json:"fields"`
}

// validateQuery is GET …/events/validate/. What the table would refuse is said here, by
// the same means.
func (a *API) validateQuery(rx *store.Rx, r *request) (QueryCheck, error) {
	q := r.queries()
	check := QueryCheck{Query: CheckedQuery{Valid: true}}
	sorted := slices.Concat(q["orderby"], q["sort"])
	var known []string
	for _, name := range tableFields(r) {
		one, err := table.New([]string{name}, nil, nil, a.cfg.Now())
		field := CheckedField{CheckedPart: CheckedPart{Name: name, Valid: err == nil}}
		if err != nil {
			field.Error = optional(err.Error())
			r.status = 400
		} else {
			field.AttrType = optional(attrType(one.Headers()[0].Kind))
			known = append(known, name)
		}
		if slices.Contains(q["field"], name) {
			check.Field = append(check.Field, field)
		}
	}
	_, err := a.newAsked(rx, r, []string{"id"}, nil) // the dataset, the projects, the query, the time
	var wrong *Problem
	switch {
	case errors.As(err, &wrong):
		check.Query.Valid, check.Query.Error = false, &wrong.Detail
		r.status = 400
	case err != nil:
		return check, err
	}
	for _, name := range sorted {
		_, err := table.New(known, nil, []string{name}, a.cfg.Now())
		part := CheckedField{CheckedPart: CheckedPart{Name: name, Valid: err == nil}}
		if err != nil {
			part.Error = optional(err.Error())
			r.status = 400
		}
		check.OrderBy = append(check.OrderBy, part)
	}
	check.Valid = r.status != 400
	return check, nil
}

// attrType is a column's kind in the words of those who ask whether there is one.
func attrType(k table.Kind) string {
	switch k {
	case table.Integer, table.Rate:
		return "number"
	case table.Boolean:
		return "boolean"
	}
	return "string"
}
