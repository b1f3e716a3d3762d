// What the tests of lora-graph look for in the output of this example.
String log = new File(basedir, 'build.log').getText('UTF-8')
assert log =~ /LangChain4j: \d+ vectors, largest difference \d/
assert log =~ /LangChain4j: \d+ scores, largest difference \d/
return true
