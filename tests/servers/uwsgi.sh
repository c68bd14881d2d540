#!/bin/bash
# uWSGI's router process before Python workers.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/uwsgi-core
configure() { cp "$here/app.py" "$work"; }
# shellcheck disable=SC2046 # two words for each port
launch() {
	serve /usr/bin/uwsgi-core --plugins http,python311 --master --uid nobody --gid nogroup --processes 2 \
		$(each_port "--https 127.0.0.1:@,$certificate,$key") --wsgi-file app.py --die-on-term
}
answer='hello from python' access_line=' GET / '
run_server
