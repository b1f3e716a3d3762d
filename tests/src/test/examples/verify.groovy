// What the examples are to print, beside that they end well.
String log = new File(basedir, 'build.log').getText('UTF-8')
List<String> expected = basedir.name == 'train'
    ? ['Total parameters: 22,', ' held-out accuracy ', 'written: support-desk']
    : ['delivery\tThe parcel is two weeks late.', 'invoice\tYou have billed me twice.',
       'fault\tThe lamp flickers and goes out.']
expected.each { line -> assert log.contains(line) : "no '$line' in the output of ${basedir.name}" }
