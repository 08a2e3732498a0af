package sandbox

import "slices"

// A hookEvent is something a webhook can be told about.
type hookEvent struct {
	event, category, label, description string
	scope                               string // that subscribing to it needs
	workspaceOnly                       bool
}

// hookEvents are the events of Atlassian's document of August 2026, described
// in words of our own.
func hookEvents() []hookEvent {
	const repo, pull, issue, pipe, project = "Repository", "Pull Request", "Issue", "Pipeline", "Project"
	return []hookEvent{
		{"repo:push", repo, "Pushed", "Commits, branches or tags arrived in a repository", "repository", false},
		{"repo:fork", repo, "Forked", "A user made a fork of a repository", "repository", false},
		{"repo:updated", repo, "Details changed", "Name, description, language or another detail of a repository changed", "repository", false},
		{"repo:created", repo, "Made", "A repository came into being", "repository", false},
		{"repo:deleted", repo, "Removed", "A repository was removed for good", "repository", false},
		{"repo:imported", repo, "Imported", "An import into a repository came to its end", "repository", false},
		{"repo:transfer", repo, "Handed over", "A repository accepted a new owner", "repository", false},
		{"repo:commit_comment_created", repo, "Commit commented", "A user wrote a comment on a commit", "repository", false},
		{"repo:commit_status_created", repo, "Build status reported", "A system reported the first status of a build", "repository", false},
		{"repo:commit_status_updated", repo, "Build status changed", "A system changed the status of a build", "repository", false},
		{"pullrequest:created", pull, "Opened", "A user opened a pull request", "pullrequest", false},
		{"pullrequest:updated", pull, "Edited", "Title, description, reviewers or target of a pull request changed", "pullrequest", false},
		{"pullrequest:push", pull, "Source moved", "New commits arrived on the source branch of a pull request", "pullrequest", false},
		{"pullrequest:approved", pull, "Approval given", "A reviewer agreed to a pull request", "pullrequest", false},
		{"pullrequest:unapproved", pull, "Approval withdrawn", "A reviewer took their agreement back", "pullrequest", false},
		{"pullrequest:changes_request_created", pull, "Changes asked for", "A reviewer asked for changes", "pullrequest", false},
		{"pullrequest:changes_request_removed", pull, "Request for changes withdrawn", "A reviewer no longer asks for changes", "pullrequest", false},
		{"pullrequest:fulfilled", pull, "Merged in", "A pull request was merged", "pullrequest", false},
		{"pullrequest:rejected", pull, "Turned down", "A pull request was declined", "pullrequest", false},
		{"pullrequest:comment_created", pull, "Comment written", "A user wrote a comment on a pull request", "pullrequest", false},
		{"pullrequest:comment_updated", pull, "Comment edited", "A user edited their comment on a pull request", "pullrequest", false},
		{"pullrequest:comment_deleted", pull, "Comment removed", "A comment on a pull request was removed", "pullrequest", false},
		{"pullrequest:comment_resolved", pull, "Comment settled", "A discussion on a pull request was marked as settled", "pullrequest", false},
		{"pullrequest:comment_reopened", pull, "Comment taken up again", "A settled discussion on a pull request was opened again", "pullrequest", false},
		{"issue:created", issue, "Filed", "A user filed an issue", "issue", false},
		{"issue:updated", issue, "Changed", "An issue changed state or text", "issue", false},
		{"issue:comment_created", issue, "Commented", "A user wrote a comment on an issue", "issue", false},
		{"pipeline:span_created", pipe, "Span recorded", "A pipeline recorded another stretch of its work", "pipeline", false},
		{"project:updated", project, "Project changed", "Name, key or another detail of a project changed", "project", true},
	}
}

// event finds the event by its key, if hooks of that kind of subject take it.
func (w *world) event(key string, workspace bool) (hookEvent, bool) {
	for _, e := range w.events {
		if e.event == key && (workspace || !e.workspaceOnly) {
			return e, true
		}
	}
	return hookEvent{}, false
}

// getHookEvents is an object keyed by kind of subject, and not a page.
func (c *call) getHookEvents() (*answer, error) {
	subject := func(name string) object {
		return object{{"links", object{{"events", href(c.at.api + "/hook_events/" + name)}}}}
	}
	subjects := object{{"repository", subject("repository")}, {"workspace", subject("workspace")}}
	for _, name := range c.server.options.HookSubjects {
		subjects = append(subjects, pair{name, subject(name)})
	}
	return reply(subjects)
}

func eventsOfSubject() listing[hookEvent] {
	return listing[hookEvent]{
		length: 30, wrap: envelopeFull,
		items: func(c *call) ([]hookEvent, error) {
			name := c.param("subject")
			if name != "repository" && name != "workspace" {
				return nil, notFound("Invalid subject type: " + name)
			}
			return slices.DeleteFunc(slices.Clone(c.world().events), func(e hookEvent) bool {
				return e.workspaceOnly && name != "workspace"
			}), nil
		},
		body: func(_ *call, e hookEvent) object {
			return object{{"event", e.event}, {"category", e.category}, {"label", e.label}, {"description", e.description}}
		},
	}
}
