#!/bin/sh
# tables.sh PAGE.in - the page with each line `@KEYS@` and `@REASONS@` replaced by what policy/keywords.def and policy/reasons.def
# have, and `@SYNOPSIS@` and `@OPTIONS VERB@` by what cli/verbs.def has, so that the manual cannot say anything else than the parser.
# Run below the root of the project.
set -eu

# The entries of a .def file, one a line, without what does not begin in the first column as NAME(.
entries() { # NAME FILE
	awk -v name="$1" '
		index($0, name "(") == 1 { open = 1; entry = "" }
		open { entry = entry $0 }
		open && /\)$/ { print entry; open = 0 }' "$2"
}

# The quoted strings of an entry are $2, $4, ...; what stands between two of them is $3, $5, ...
keys() {
	entries KEY policy/keywords.def | awk -F '"' '
		BEGIN { print ".Bl -tag -width Ds" }
		{
			split($3, middle, ",")
			gsub(/ /, "", middle[3])
			where = middle[2] == "FILE" ? "before all sections" : \
				middle[2] == "PORT_ONLY" ? "in sections, but those for a server name" : "in sections"
			many = middle[3] == "LIST" ? "a list" : middle[3] == "REPEATED" ? "one a line, several lines" : "one"
			print ".It Ic " $2
			print toupper(substr($8, 1, 1)) substr($8, 2) "."
			print "Values (" many ", " where "):"
			print $4 "."
			if ($6 != "") {
				print "Default:"
				print ".Ql " $6 " ."
			}
		}
		END { print ".El" }'
}

reasons() {
	entries REASON policy/reasons.def | awk -F '"' '
		BEGIN { print ".Bl -tag -width \"no-certificate-cipher\" -compact" }
		$2 != "-" { print ".It Li " $2; print $4 }
		END { print ".El" }'
}

# Arguments as the usage shows them, in the words of mdoc(7): "[--policy FILE]" is ".Op Fl -policy Ar file".
as_mdoc='
	function items(text,   words, count, i, line) {
		gsub(/\|/, " | ", text)
		count = split(text, words, " ")
		for (i = 1; i <= count; i++) {
			if (words[i] == "|") line = line " |"
			else if (words[i] ~ /^--/) line = line " Fl " substr(words[i], 2)
			else if (sub(/[.][.][.]$/, "", words[i])) line = line " Ar " tolower(words[i]) " ..."
			else line = line " Ar " tolower(words[i])
		}
		return substr(line, 2)
	}
	function print_arguments(text,   at) {
		while (text != "") {
			sub(/^ +/, "", text)
			at = index(text, substr(text, 1, 1) == "[" ? "]" : "[")
			if (substr(text, 1, 1) == "[") {
				print ".Op " items(substr(text, 2, at - 2))
				text = substr(text, at + 1)
			} else {
				print "." items(at ? substr(text, 1, at - 1) : text)
				text = at ? substr(text, at) : ""
			}
		}
	}
	# What is an argument, a variable or an option gets a line of its own, with its punctuation.
	function print_phrase(text,   words, count, i, point, line) {
		count = split(toupper(substr(text, 1, 1)) substr(text, 2) ".", words, " ")
		for (i = 1; i <= count; i++) {
			point = match(words[i], /[.,;]$/) ? " " substr(words[i], RSTART) : ""
			if (words[i] ~ /^(FILE|DIRECTORY|COMMAND|HOST|PORT|UNIT|PID|PROGRAM)[.,;]?$/) macro = "Ar " tolower(words[i])
			else if (words[i] ~ /^CFSHIM_[A-Z]+[.,;]?$/) macro = "Ev " words[i]
			else if (words[i] ~ /^--[a-z-]+[.,;]?$/) macro = "Fl " substr(words[i], 2)
			else { line = line (line == "" ? "" : " ") words[i]; continue }
			if (line != "") print line
			line = ""
			sub(/[.,;]$/, "", macro)
			print "." macro point
		}
		if (line != "") print line
	}'

synopsis() {
	awk "$(cat cli/verbs.awk)$as_mdoc"'
		function verb(name, arguments, description) {
			print ".Nm"
			print ".Cm " name
			print_arguments(arguments)
		}
		function option(of, name, value, meaning) { }' cli/verbs.def
}

options() { # VERB
	awk -v wanted="$1" "$(cat cli/verbs.awk)$as_mdoc"'
		function verb(name, arguments, description) { }
		function option(of, name, value, meaning) {
			if (of != wanted) return
			if (!found++) print ".Bl -tag -width Ds"
			print ".It Fl " substr(name, 2) (value == "" ? "" : " Ar " tolower(value))
			print_phrase(meaning)
		}
		END { if (found) print ".El" }' cli/verbs.def
}

while IFS= read -r line; do
	case $line in
	@KEYS@) keys ;;
	@REASONS@) reasons ;;
	@SYNOPSIS@) synopsis ;;
	'@OPTIONS '*@)
		verb=${line#@OPTIONS }
		options "${verb%@}"
		;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$1"
