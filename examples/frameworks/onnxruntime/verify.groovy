// What the tests of lora-graph look for in the output of this example.
String log = new File(basedir, 'build.log').getText('UTF-8')
assert log =~ /ONNX Runtime: \d+ vectors, largest difference \d/
return true
