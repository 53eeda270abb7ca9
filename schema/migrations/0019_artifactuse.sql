-- +goose Up

-- In which order a project's uploads go where it takes the most room, and of which other
-- releases people may have meant one.
CREATE INDEX artifact_bundles_by_project_use ON artifact_bundles (project_id, used_at) WHERE state IN (1, 2);
