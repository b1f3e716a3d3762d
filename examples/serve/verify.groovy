// What the tests of lora-graph look for in the output of this example.
String log = new File(basedir, 'build.log').getText('UTF-8')
['delivery\tThe parcel is two weeks late.', 'invoice\tYou have billed me twice.',
 'fault\tThe lamp flickers and goes out.'].each {
    line -> assert log.contains(line) : "no '$line' in the output"
}
return true
