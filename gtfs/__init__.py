"""The timetable and what really ran."""
