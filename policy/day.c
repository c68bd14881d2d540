/* Days of the calendar, as `observe until` takes them. */
#include "language.h"

#include <stdio.h>
#include <string.h>

enum { DAY_SECONDS = 24 * 60 * 60, FIRST_YEAR = 2000 };

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_of_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

static int64_t days_before_year(unsigned year)
{
	const unsigned past = year - 1;

	return 365 * (int64_t)past + past / 4 - past / 100 + past / 400;
}

static unsigned number(const char *digits, size_t count)
{
	unsigned value = 0;

	for (size_t i = 0; i < count; i++)
		value = 10 * value + (unsigned)(digits[i] - '0');
	return value;
}

bool day_parse(int64_t *seconds, const char *text)
{
	unsigned year, month, day;
	int64_t days;

	if (strlen(text) != DAY_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; i < DAY_TEXT_BYTES - 1; i++)
		if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
			return false;
	year = number(text, 4);
	month = number(text + 5, 2);
	day = number(text + 8, 2);
	if (year < FIRST_YEAR || month < 1 || month > 12 || day < 1 ||
	    day > days_of_month(year, month))
		return false;
	days = days_before_year(year) - days_before_year(1970) + day - 1;
	for (unsigned past = 1; past < month; past++)
		days += days_of_month(year, past);
	*seconds = days * DAY_SECONDS;
	return true;
}

void day_print(char text[DAY_TEXT_BYTES], int64_t seconds)
{
	int64_t days = seconds / DAY_SECONDS + days_before_year(1970);
	unsigned year = FIRST_YEAR, month = 1;

	while (year < 9999 && days_before_year(year + 1) <= days)
		year++;
	days -= days_before_year(year);
	while (month < 12 && days >= days_of_month(year, month))
		days -= days_of_month(year, month++);
	snprintf(text, DAY_TEXT_BYTES, "%04u-%02u-%02u", year % 10000, month,
		 (unsigned)(days + 1) % 100);
}

enum verify rule_verify(const struct rule *rule, int64_t now)
{
	int64_t released = 0;

	if (rule->verify != VERIFY_OBSERVE || rule->observe_until == 0)
		return rule->verify;
	/* A clock that was never set must not put the day off. */
	if (!day_parse(&released, CFSHIM_RELEASED) || now < released || now >= rule->observe_until)
		return VERIFY_REQUIRE;
	return VERIFY_OBSERVE;
}

void rule_verify_text(char buffer[VERIFY_TEXT_BYTES], const struct rule *rule)
{
	char day[DAY_TEXT_BYTES];

	if (rule->verify == VERIFY_OBSERVE && rule->observe_until != 0) {
		day_print(day, rule->observe_until);
		snprintf(buffer, VERIFY_TEXT_BYTES, "observe until %s", day);
	} else {
		snprintf(buffer, VERIFY_TEXT_BYTES, "%s", verify_word(rule->verify));
	}
}
