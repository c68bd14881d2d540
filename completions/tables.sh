#!/bin/sh
# tables.sh FILE.in - the completion with each line `@BASH@` or `@ZSH@` replaced by what cli/verbs.def has: its verbs, their options,
# and what each takes.  Run below the root of the project.
set -eu

# A `case` of the verbs, and one of what their options take.
bash_tables() {
	awk "$(cat cli/verbs.awk)"'
		function verb(name, arguments, description) {
			verbs = verbs " " name
			operands = operands "\t" name ") word=\"" operand_of(arguments) "\" ;;\n"
		}
		function option(of, name, value, meaning) {
			gsub(/_/, "-", of)
			options[of] = options[of] " " name
			if (value != "") values = values "\t\"" of " " name "\") word=" value " ;;\n"
		}
		END {
			printf "_cfshim_verbs=\"%s\"\n\n", substr(verbs, 2)
			print "# What its options are, into $words.\n_cfshim_options() { # VERB\n\tcase $1 in"
			count = split(substr(verbs, 2), names, " ")
			for (i = 1; i <= count; i++)
				if (names[i] in options) printf "\t%s) words=\"%s\" ;;\n", names[i], substr(options[names[i]], 2)
			print "\t*) words= ;;\n\tesac\n}\n"
			print "# What an option takes, into $word; nothing where it takes nothing.\n_cfshim_value() { # VERB OPTION\n\tcase \"$1 $2\" in"
			printf "%s\t*) word= ;;\n\tesac\n}\n\n", values
			print "# What stands without an option, into $word.\n_cfshim_operand() { # VERB\n\tcase $1 in"
			printf "%s\t*) word= ;;\n\tesac\n}\n", operands
		}' cli/verbs.def
}

# A line for _describe, and one for _arguments.
zsh_tables() {
	awk "$(cat cli/verbs.awk)"'
		function quoted(text) { gsub(/\047/, "\047\\\047\047", text); return "\047" text "\047" }
		function bracketed(text) { gsub(/[][]/, "\\\\&", text); return "[" text "]" }
		function action(word) {
			if (word == "") return ""
			if (word == "FILE") return ":file:_files"
			if (word == "DIRECTORY") return ":directory:_files -/"
			if (word == "HOST:PORT") return ":host and port:_hosts"
			if (word == "COMMAND") return ":command: _command_names -e"
			if (word == "PID") return ":process:_pids"
			if (word ~ /PROGRAM/) return ":program or process:_files"
			if (word == "UNIT") return ":unit:_cfshim_units"
			gsub(/:/, "\\:", word)
			return ":" tolower(word) ": "
		}
		function verb(name, arguments, description) {
			verbs = verbs "\t" quoted(name ":" description) "\n"
			word = operand_of(arguments)
			names[++total] = name
			if (arguments ~ /ARGUMENT/) operands[name] = " " quoted("1" action(word)) " " quoted("*::argument:_normal")
			else if (word != "") operands[name] = " " quoted("1" action(word))
		}
		function option(of, name, value, meaning) {
			gsub(/_/, "-", of)
			options[of] = options[of] " \\\n\t\t\t" quoted(name (value == "" ? "" : "=") bracketed(meaning) action(value))
		}
		END {
			printf "local -a verbs=(\n%s)\n", verbs
			print "_cfshim_arguments() { # VERB\n\tcase $1 in"
			for (i = 1; i <= total; i++)
				printf "\t%s)\n\t\t_arguments -S%s%s\n\t\t;;\n", names[i], options[names[i]], operands[names[i]]
			print "\tesac\n}"
		}' cli/verbs.def
}

while IFS= read -r line; do
	case $line in
	@BASH@) bash_tables ;;
	@ZSH@) zsh_tables ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$1"
