package cli

import "github.com/spf13/cobra"

func newIntegrations(env *Env) *cobra.Command {
	n := &noun{
		plural: "integrations", singular: "an integration", takes: "NAME",
		about: "What was deployed: the entries of amp.yaml",
		columns: []column{
			{"NAME", "name"}, {"PROVIDER", "provider"}, {"REVISION", "latestRevision.id"}, {"DEPLOYED", "latestRevision.createTime"}, {"ID", "id"},
		},
		details: []column{
			{"READS", "latestRevision.content.read.objects.objectName"},
			{"WRITES", "latestRevision.content.write.objects.objectName"},
			{"CREATED", "createTime"},
		},
	}
	n.in("integrations")
	return n.command(env, &atServer{}, deployHint())
}

// deployHint is for whoever looks for the verb here.
func deployHint() *cobra.Command {
	return &cobra.Command{
		Use:    "create",
		Short:  "See windlass deploy",
		Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			return invalidf("integrations come from a manifest: windlass deploy FILE")
		},
	}
}
