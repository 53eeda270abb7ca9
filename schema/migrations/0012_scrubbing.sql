-- +goose Up

-- What is taken out of a project's events before they are stored: JSON of scrub.Settings;
-- empty: the usual. Beside the other texts that people write about a project, so that it
-- goes with them.
ALTER TABLE project_rules ADD COLUMN privacy TEXT NOT NULL DEFAULT '';
