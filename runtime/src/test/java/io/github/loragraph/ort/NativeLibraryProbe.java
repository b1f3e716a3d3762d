package io.github.loragraph.ort;

import ai.onnxruntime.OrtEnvironment;
import io.github.loragraph.error.LoraGraphException;
import java.util.Locale;

/** Loads builds of ONNX Runtime one after the other, in a process of its own. */
final class NativeLibraryProbe {
  private NativeLibraryProbe() {}

  public static void main(String[] builds) {
    for (String build : builds) {
      try {
        if (build.equals("halt")) {
          System.out.flush();
          Runtime.getRuntime().halt(0);
        }
        if (build.equals("direct")) {
          OrtEnvironment.getEnvironment();
          continue;
        }
        OrtRuntime runtime =
            OrtRuntime.open(OrtRuntime.Build.valueOf(build.toUpperCase(Locale.ROOT)));
        System.out.println("training " + runtime.environment().isTrainingEnabled());
      } catch (LoraGraphException e) {
        System.out.println("failed: " + e.getMessage());
      }
    }
  }
}
