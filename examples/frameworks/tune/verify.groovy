// What the tests of lora-graph look for in the output of this example.
String log = new File(basedir, 'build.log').getText('UTF-8')
['written: search, vectors.jsonl', 'written: reranker, scores.jsonl'].each {
    line -> assert log.contains(line) : "no '$line' in the output"
}
return true
