package cli

import "github.com/spf13/cobra"

func newDemo(*Env) *cobra.Command { return &cobra.Command{Use: "demo"} }
