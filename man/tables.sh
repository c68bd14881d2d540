#!/bin/sh
# tables.sh PAGE.in - the page with each line `@KEYS@` and `@REASONS@` replaced by what policy/keywords.def and policy/reasons.def
# have, so that the manual cannot say anything else than the parser.  Run below the root of the project.
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

while IFS= read -r line; do
	case $line in
	@KEYS@) keys ;;
	@REASONS@) reasons ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$1"
