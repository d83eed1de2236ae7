import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Arrays;

/** Starts the war named first with the other arguments, on a Java that looks as old as the war is. */
public class Launch {
    public static void main(String[] arguments) throws Exception {
        System.setProperty("java.vm.vendor", "Sun Microsystems Inc.");
        System.setProperty("java.version", "1.7.0_80");
        System.setProperty("java.specification.version", "1.7");
        URL war = new File(arguments[0]).toURI().toURL();
        URLClassLoader loader = new URLClassLoader(new URL[] {war}, Launch.class.getClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        Object rest = Arrays.copyOfRange(arguments, 1, arguments.length);
        loader.loadClass("Main").getMethod("main", String[].class).invoke(null, rest);
    }
}
