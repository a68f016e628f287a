# Renders products.tsv as JSON; fails, saying where, on a line that is no product. With `tag` set only the
# products with that tag are listed; `currency` is that of the prices, which are in its smallest unit.
BEGIN {
  FS = "\t"
  printf "{\"currency\":\"%s\",\"products\":[", currency
}

/^#/ || /^$/ { next }

NF != 5 { fail("has " NF " fields, not 5") }
$1 !~ /^[a-z0-9]+(-[a-z0-9]+)*$/ { fail("has no proper id: " $1) }
$1 in seen { fail("repeats the id " $1) }
$3 !~ /^[1-9][0-9]*$/ { fail("has no price in whole units: " $3) }

{
  seen[$1] = 1
  if (tag != "" && tag != $4) next
  printf "%s\n  {\"id\":\"%s\",\"name\":\"%s\",\"price\":%d,\"tag\":\"%s\",\"description\":\"%s\"}",
    separator, $1, escaped($2), $3, escaped($4), escaped($5)
  separator = ","
}

END {
  if (!failed) print "\n]}"
}

function escaped(text) {
  gsub(/\\/, "\\\\", text)
  gsub(/"/, "\\\"", text)
  return text
}

function fail(why) {
  printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
  failed = 1
  exit 1
}
