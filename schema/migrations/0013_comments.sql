-- +goose Up

-- A comment that was taken back can be restored for some minutes; then it is removed.
CREATE INDEX history_taken_back ON history (at) WHERE kind = 'taken back';

-- It was the same as history_regressed.
DROP INDEX history_of_regressions;
