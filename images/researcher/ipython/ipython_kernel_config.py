"""Each kernel of a session: what has to be put right for Hail and Bokeh, also for people who don't import `ngc`."""

c.InteractiveShellApp.extensions = ["ngc.kernel"]
