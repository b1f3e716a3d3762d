package io.github.loragraph.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;

/**
 * A process that runs {@code lora-graph benchmark} and then measures what ONNX Runtime reaches in
 * large products, with as many threads: both in one process, one after the other.
 */
public final class ProgramFork {
  private ProgramFork() {}

  /**
   * Measures.
   *
   * @param args the words of the program; {@code --threads} and {@code --json} are among them
   */
  public static void main(String[] args) throws JsonProcessingException {
    StringWriter printed = new StringWriter();
    CommandLine program = LoraGraph.commandLine();
    program.setOut(new PrintWriter(printed));
    int code = LoraGraph.execute(program, args);
    if (code != 0) {
      System.exit(code);
    }
    ObjectMapper json = new ObjectMapper();
    ObjectNode result = (ObjectNode) json.readTree(printed.toString());
    Measured.putPeak(result);
    List<String> words = Arrays.asList(args);
    int threads = Integer.parseInt(words.get(words.indexOf("--threads") + 1));
    Sessions sessions = new Sessions(OrtRuntime.ofThisProcess(), threads);
    Measured.putRate(result, ProductRate.best(size -> new OrtProduct(size, sessions)));
    System.out.println(json.writeValueAsString(result));
  }
}
