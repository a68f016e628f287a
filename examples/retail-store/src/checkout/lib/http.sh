# What the CGI scripts of this service share: reading a form and answering in JSON.

# reply STATUS JSON: answers and ends the request.
reply() {
  printf 'Status: %s\r\nContent-Type: application/json\r\n\r\n%s\n' "$1" "$2"
  exit 0
}

# read_form: takes the body of a POST into $form; 16 KiB are enough for any form of ours.
read_form() {
  case ${CONTENT_LENGTH:-} in '' | *[!0-9]*) reply '411 Length Required' '{"error":"send a form"}' ;; esac
  [ "$CONTENT_LENGTH" -le 16384 ] || reply '413 Content Too Large' '{"error":"at most 16 KiB"}'
  form=$(head -c "$CONTENT_LENGTH")
}

# field NAME: the value of a field of $form, decoded.
field() {
  httpd -d "$(printf '%s\n' "$form" | tr '&' '\n' | sed -n "s/^$1=//p" | head -n 1)"
}

# is_id TEXT: whether it may be an identifier. What passes is safe in a file name and in JSON.
is_id() {
  case $1 in '' | -* | *[!a-z0-9-]*) return 1 ;; esac
  [ ${#1} -le 40 ]
}

# is_number TEXT LOWEST HIGHEST: whether it is a whole number within the bounds.
is_number() {
  case $1 in '' | *[!0-9]* | ??????????*) return 1 ;; esac
  [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}
