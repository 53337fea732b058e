using System.CommandLine;
return new RootCommand("Salus: a health record that can be checked instead of believed").Parse(args).Invoke();
