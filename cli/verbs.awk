# verbs.awk - reads verbs.def for those that print something of it (man/tables.sh, completions/make.sh): calls verb() and option()
# for each, in order, with their strings.
#
# Words in capitals are arguments; operand_of(arguments) is the first that belongs to no option, as "COMMAND" or "PROGRAM|PID".

index($0, "VERB(") == 1 || index($0, "OPTION(") == 1 { entry = "" }
/^(VERB|OPTION)\(/ || entry != "" { entry = entry $0 }
entry != "" && /\)$/ {
	count = split(entry, part, "\"")
	if (index(entry, "VERB(") == 1) {
		spelling = part[2]
		verb(spelling, part[4], part[6])
	} else {
		option(spelling, part[2], part[4], part[6])
	}
	entry = ""
}

function operand_of(arguments,   words, count, i) {
	gsub(/\[|\]/, "", arguments)
	count = split(arguments, words, " ")
	for (i = 1; i <= count; i++) {
		if (words[i] == "--") continue
		if (words[i] ~ /^--/) { i++; if (words[i] ~ /^-/) i--; continue }
		return words[i]
	}
	return ""
}
