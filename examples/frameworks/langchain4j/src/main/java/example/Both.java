package example;

import ai.onnxruntime.OrtException;
import java.io.IOException;

/**
 * Runs both comparisons in one program: the tokenizer's native library is loaded once in a process.
 */
public final class Both {
  private Both() {}

  /**
   * Compares.
   *
   * @param args none
   */
  public static void main(String[] args) throws IOException, OrtException {
    Search.main(args);
    Rerank.main(args);
  }
}
